//! The webhook by the size of the report.

use crate::{
    Failure, events,
    figures::{MEMORY, Measured},
    functions::HELLO,
    measure::{Given, warm},
    report::{Table, mb, ms, percentiles},
    run::{Bench, REPORT},
    say,
};

/// Larger reports, bytes.
const LARGE_REPORT: usize = 300_000;
const HUGE_REPORT: usize = 1_500_000;

impl Bench {
    /// The webhook with reports of three sizes.
    pub(crate) async fn reports(&mut self) -> Result<(), Failure> {
        let columns =
            ["report", "function", "p50 ms", "p90", "p99", "CPU ms", "CPU above hello ms", "peak MB"];
        let mut table = Table::new("The webhook by the size of the report", &columns);
        let sample = events::sample(&self.events, "webhook.inbound-call", &self.workspace)?;
        for (name, bytes) in [("15 kB", REPORT), ("300 kB", LARGE_REPORT), ("1.5 MB", HUGE_REPORT)] {
            let given = Given::Event(events::report(&sample, bytes)?);
            let hello =
                warm(&self.subject(HELLO), &given, &self.stubs, &mut self.counter, self.times).await?;
            let webhook =
                warm(&self.subject("webhook"), &given, &self.stubs, &mut self.counter, self.times).await?;
            let above = Measured::above(ms(webhook.cpu), ms(hello.cpu));
            for (function, warm, above) in
                [(HELLO, &hello, String::new()), ("webhook", &webhook, format!("{:.3}", above.value()))]
            {
                let [p50, p90, p99] = percentiles(&warm.latencies);
                table.row(&[
                    name.to_owned(),
                    function.to_owned(),
                    p50,
                    p90,
                    p99,
                    format!("{:.3}", ms(warm.cpu)),
                    above,
                    format!("{:.1}", mb(warm.peak_memory)),
                ]);
            }
            match bytes {
                REPORT => {
                    self.figures.time("webhook: CPU of a 15 kB report above hello's, ms", above, 0.3);
                }
                LARGE_REPORT => {
                    self.figures.hold(
                        "webhook: peak memory with 300 kB reports, MB",
                        mb(webhook.peak_memory),
                        14.0,
                        MEMORY,
                    );
                }
                _ => self.figures.time("webhook: CPU of a 1.5 MB report, ms", ms(webhook.cpu), 6.0),
            }
        }
        say(table.text());
        Ok(())
    }
}
