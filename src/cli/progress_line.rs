//! A line at the bottom of a terminal that shows long work, and vanishes.

use std::io::Write;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::progress;

/// How long a command works before the line appears.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the line changes.
const PERIOD: Duration = Duration::from_millis(100);
/// The largest number of characters, so that the line fits into every terminal.
const WIDTH: usize = 60;
/// Goes to the beginning of the line, and empties it.
const CLEAR: &str = "\r\x1b[K";

/// A thread that draws the line as long as this value lives.
pub(super) struct ProgressLine {
    /// Asks the thread to hide the line, and to answer once that is done.
    requests: Option<Sender<Sender<()>>>,
    thread: Option<JoinHandle<()>>,
}

impl ProgressLine {
    /// Starts the line on a terminal. Without it everything works, so nothing happens if there can be no further thread.
    pub(super) fn start(terminal: impl Write + Send + 'static) -> Self {
        ProgressLine::start_after(PATIENCE, terminal)
    }

    fn start_after(patience: Duration, terminal: impl Write + Send + 'static) -> Self {
        let (requests, received) = channel();
        let thread = thread::Builder::new().spawn(move || draw(patience, &received, terminal)).ok();
        ProgressLine { requests: Some(requests), thread }
    }

    /// Makes the line vanish before something else is printed. It appears again after another second.
    pub(super) fn hide(&self) {
        let (done, is_done) = channel();
        if let Some(requests) = &self.requests
            && requests.send(done).is_ok()
        {
            // If the thread is gone, so is the line.
            let _ = is_done.recv();
        }
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        self.requests.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Draws until nobody can send requests any more. The line is only for people, so errors change nothing.
fn draw(patience: Duration, requests: &Receiver<Sender<()>>, mut terminal: impl Write) {
    let (mut is_drawn, mut wait) = (false, patience);
    let clear = |is_drawn: &mut bool, terminal: &mut dyn Write| {
        if std::mem::take(is_drawn) {
            let _ = terminal.write_all(CLEAR.as_bytes()).and_then(|()| terminal.flush());
        }
    };
    loop {
        match requests.recv_timeout(wait) {
            Err(RecvTimeoutError::Timeout) => {
                let text: String = format!("s6gen: {} …", progress::now()).chars().take(WIDTH).collect();
                let line = format!("{CLEAR}{text}");
                is_drawn = true;
                wait = PERIOD;
                let _ = terminal.write_all(line.as_bytes()).and_then(|()| terminal.flush());
            }
            Ok(done) => {
                clear(&mut is_drawn, &mut terminal);
                wait = patience;
                let _ = done.send(());
            }
            Err(RecvTimeoutError::Disconnected) => return clear(&mut is_drawn, &mut terminal),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use super::{CLEAR, PATIENCE, ProgressLine};

    #[derive(Clone, Default)]
    struct Screen(Arc<Mutex<Vec<u8>>>);

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Screen {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    #[test]
    fn the_line_appears_and_vanishes() {
        let screen = Screen::default();
        let line = ProgressLine::start_after(Duration::ZERO, screen.clone());
        while !screen.text().contains("s6gen: ") {
            std::thread::yield_now();
        }
        line.hide();
        // It may already be there again.
        assert!(screen.text().contains(&format!("…{CLEAR}")), "{:?}", screen.text());
        drop(line);
        assert!(screen.text().ends_with(CLEAR), "{:?}", screen.text());
    }

    #[test]
    fn work_that_is_soon_done_shows_nothing() {
        let screen = Screen::default();
        let line = ProgressLine::start_after(PATIENCE * 3600, screen.clone());
        line.hide();
        drop(line);
        assert_eq!(screen.text(), "");
    }
}
