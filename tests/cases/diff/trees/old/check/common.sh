look() { true; }
