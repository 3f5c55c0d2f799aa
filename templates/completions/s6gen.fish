# Completes the arguments of s6gen in fish. `s6gen completions fish` prints this script.

function __s6gen_complete
    set --local words (commandline --cut-at-cursor --current-process --tokenize) (commandline --cut-at-cursor --current-token)
    set --local found (s6gen complete-word (math (count $words) - 1) -- $words 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\n' $found
    else
        __fish_complete_path (commandline --cut-at-cursor --current-token)
    end
end

complete --command s6gen --no-files --arguments '(__s6gen_complete)'
