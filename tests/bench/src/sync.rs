//! Sync by records, latency and appointment.

use std::time::Duration;

use crate::{
    Failure, bare_runtime,
    figures::{EXACT, MEMORY, Measured, Requests, START},
    measure::{Bare, Calls, Given, Warm, warm},
    report::{Table, mb, median, ms, percentiles},
    run::Bench,
    say,
};

/// How many turns a function and its floor take.
const TURNS: u32 = 10;

/// Some records that sync was given at once, again and again.
struct Batch {
    records: usize,
    /// How long Salesforce took, ms.
    latency: u64,
    has_appointment: bool,
    /// What their requests take when they are made bare, if that was measured: p50, ms.
    floor: Option<f64>,
    warm: Warm,
}

impl Bench {
    /// Sync with one and ten records, at two latencies, with and without an appointment.
    pub(crate) async fn batches(&mut self) -> Result<(), Failure> {
        let columns = [
            "records",
            "Salesforce ms",
            "appointment",
            "p50 ms",
            "p90",
            "p99",
            "its requests bare, p50 ms",
            "beyond them ms",
            "CPU ms",
            "peak MB",
            "row bytes",
            "requests of a batch",
        ];
        let mut table = Table::new("Sync", &columns);
        for (has_appointment, sample) in [(false, "webhook.inbound-call"), (true, "webhook.appointment")] {
            let message = self.message(sample).await?;
            for latency in [0, 50] {
                self.stubs.set_latency(Duration::from_millis(latency));
                let times = if latency == 0 { self.times } else { self.times / 5 };
                let (one, floor) = self.one_record(&message, times).await?;
                let ten = self.ten_records(&message, times).await?;
                if !has_appointment && latency == 0 {
                    self.hold_requests(&one.requests);
                    self.time_one_record(latency, &one, floor);
                } else if !has_appointment {
                    self.time_one_record(latency, &one, floor);
                    self.hold_batches(&one, &ten);
                }
                for (records, floor, warm) in [(1, Some(floor), one), (10, None, ten)] {
                    let batch = Batch { records, latency, has_appointment, floor, warm };
                    table.row(&batch.cells());
                    self.figures.count(batch.name(), batch.warm.requests);
                }
            }
        }
        self.stubs.set_latency(Duration::ZERO);
        say(table.text());
        Ok(())
    }

    /// One record, and the median of what its requests take bare, ms. In turns, so that what else the machine does, and
    /// how fast it is just then, meets both.
    async fn one_record(&mut self, message: &str, times: u32) -> Result<(Warm, f64), Failure> {
        let (subject, given) = (self.subject("sync"), given(message, 1));
        let mut calls = Calls::start(&subject, &given, &self.stubs, &mut self.counter, times).await?;
        let mut bare = Bare::start(bare_runtime::requests_of_a_call(&self.stubs)).await?;
        for _ in 0..TURNS {
            bare.call(times / TURNS).await?;
            calls.make(&self.stubs, &mut self.counter, times / TURNS).await?;
        }
        Ok((calls.end().await?, ms(median(&bare.latencies))))
    }

    async fn ten_records(&mut self, message: &str, times: u32) -> Result<Warm, Failure> {
        warm(&self.subject("sync"), &given(message, 10), &self.stubs, &mut self.counter, times).await
    }

    fn time_one_record(&mut self, latency: u64, one: &Warm, floor: f64) {
        self.figures.time(
            format!("sync: one record at {latency} ms, beyond its bare requests, ms"),
            Measured::above(ms(median(&one.latencies)), floor),
            1.0,
        );
    }

    fn hold_batches(&mut self, one: &Warm, ten: &Warm) {
        let [one_p50, ten_p50] = [one, ten].map(|warm| ms(median(&warm.latencies)));
        self.figures.hold(
            "sync: ten records at 50 ms, × one record",
            Measured::times(ten_p50, one_p50),
            1.25,
            START,
        );
        self.figures.hold("sync: peak memory with ten records, MB", mb(ten.peak_memory), 20.0, MEMORY);
    }

    /// A new, logged call takes two requests to Salesforce and two writes of the ledger
    /// (docs/contract.md#the-way-of-a-call).
    fn hold_requests(&mut self, requests: &Requests) {
        self.figures.hold(
            "sync: requests to Salesforce of a call",
            requests.of_a_call(|operation| operation.starts_with("Salesforce")),
            2.0,
            EXACT,
        );
        self.figures.hold(
            "sync: writes to DynamoDB of a call",
            requests.of_a_call(|operation| operation == "PutItem" || operation == "UpdateItem"),
            2.0,
            EXACT,
        );
        self.figures.hold(
            "sync: reads of DynamoDB of a call",
            requests.of_a_call(|operation| operation == "GetItem" || operation == "Query"),
            1.0,
            EXACT,
        );
        self.figures.hold(
            "sync: requests to SQS and Secrets Manager of a call",
            requests
                .of_a_call(|operation| operation.starts_with("Send") || operation.starts_with("GetSecret")),
            0.0,
            EXACT,
        );
    }
}

impl Batch {
    fn name(&self) -> String {
        let with = if self.has_appointment { ", with appointment" } else { "" };
        format!("sync: {} at once, {} ms{with}", self.records, self.latency)
    }

    fn cells(&self) -> [String; 12] {
        let warm = &self.warm;
        let [p50, p90, p99] = percentiles(&warm.latencies);
        let beyond = self.floor.map(|floor| ms(median(&warm.latencies)) - floor);
        let time = |ms: Option<f64>| ms.map(|ms| format!("{ms:.2}")).unwrap_or_default();
        [
            self.records.to_string(),
            self.latency.to_string(),
            if self.has_appointment { "yes" } else { "no" }.to_owned(),
            p50,
            p90,
            p99,
            time(self.floor),
            time(beyond),
            format!("{:.3}", ms(warm.cpu)),
            format!("{:.1}", mb(warm.peak_memory)),
            warm.row_size.map(|size| size.to_string()).unwrap_or_default(),
            warm.requests.to_string(),
        ]
    }
}

fn given(message: &str, at_once: usize) -> Given {
    Given::Calls { message: message.to_owned(), at_once }
}
