# serves
web --port "$PORT" \
  --name "{{ name }}"
