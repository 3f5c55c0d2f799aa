//! Reads the README and the pages of the book: their examples, headings and links.

use std::fs;
use std::path::Path;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// A document, as Markdown.
#[derive(Debug, Default)]
pub struct Page {
    /// Its path in the repository.
    pub path: String,
    pub examples: Vec<Example>,
    pub headings: Vec<String>,
    pub links: Vec<String>,
    /// What stands between backticks in its sentences and tables.
    pub spans: Vec<String>,
}

/// A fenced block.
#[derive(Debug, Clone, Default)]
pub struct Example {
    /// The path of the page and the line of the block.
    pub place: String,
    pub language: String,
    pub text: String,
    /// The text above it.
    pub above: String,
    /// The heading above it.
    pub heading: String,
}

impl Page {
    /// Reads a document of the repository.
    pub fn read(path: &str) -> Page {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
        Page::parse(path, &text)
    }

    pub fn parse(path: &str, text: &str) -> Page {
        let mut page = Page { path: path.to_owned(), ..Page::default() };
        let mut example: Option<Example> = None;
        // The text of the last paragraph or heading.
        let mut words = String::new();
        for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
            match event {
                Event::Start(Tag::CodeBlock(kind)) => {
                    let language = match kind {
                        CodeBlockKind::Fenced(language) => language.into_string(),
                        CodeBlockKind::Indented => String::new(),
                    };
                    let line = text[..range.start].matches('\n').count() + 1;
                    let heading = page.headings.last().cloned().unwrap_or_default();
                    let place = format!("{path}:{line}");
                    let above = words.clone();
                    example = Some(Example { place, language, above, heading, text: String::new() });
                }
                Event::End(TagEnd::CodeBlock) => page.examples.extend(example.take()),
                Event::Start(Tag::Paragraph | Tag::Heading { .. }) => words.clear(),
                Event::End(TagEnd::Heading(_)) => page.headings.push(words.clone()),
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    page.links.push(dest_url.into_string());
                }
                Event::Code(text) => {
                    words += &text;
                    page.spans.push(text.into_string());
                }
                Event::Text(text) => match &mut example {
                    Some(example) => example.text += &text,
                    None => words += &text,
                },
                _ => {}
            }
        }
        page
    }

    /// The anchors of its headings, as GitHub and mdBook make them.
    pub fn anchors(&self) -> Vec<String> {
        self.headings.iter().map(|heading| anchor(heading)).collect()
    }

    /// The examples of a language.
    pub fn examples_in<'p>(&'p self, language: &'p str) -> impl Iterator<Item = &'p Example> {
        self.examples.iter().filter(move |example| example.language == language)
    }
}

fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The pages of the book.
pub fn book() -> Vec<Page> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".md")).collect();
    names.sort();
    names.iter().map(|name| Page::read(&format!("docs/{name}"))).collect()
}

/// The README and the pages of the book.
pub fn documents() -> Vec<Page> {
    std::iter::once(Page::read("README.md")).chain(book()).collect()
}

#[test]
fn a_page_has_its_examples_also_in_lists_its_headings_and_its_links() {
    let text = "# The `a` of b::c\n\n[x](y.md#z) `k`\n\nWrong:\n\n```toml\n[a]\n```\n\n1. one\n\n   ```sh\n   ls\n   ```\n";
    let page = Page::parse("docs/p.md", text);
    assert_eq!((page.anchors(), page.links), (vec!["the-a-of-bc".to_owned()], vec!["y.md#z".to_owned()]));
    assert_eq!(page.spans, ["a", "k"]);
    let told =
        page.examples.iter().map(|e| [&*e.place, &e.language, &e.text, &e.above, &e.heading].join("|"));
    let told: Vec<String> = told.collect();
    assert_eq!(
        told,
        ["docs/p.md:7|toml|[a]\n|Wrong:|The a of b::c", "docs/p.md:13|sh|ls\n|one|The a of b::c"]
    );
}
