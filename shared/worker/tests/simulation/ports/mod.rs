//! The algorithm's ports, implemented by the simulated world. They are not the stores of `worker::testing`, because here
//! each call is a point at which its process may fail, stop or be overtaken.

pub mod connections;
mod ledger;
mod salesforce;

use std::time::Duration;

use chrono::{DateTime, Utc};
use worker::{
    Ports, message,
    ports::{Clock, Queue, Random, StoreError},
};

use crate::world::{Failed, Message, State, World};
use crm::{CrmError, FaultClass};

/// All ports on one world.
pub struct Simulated;

impl Ports for Simulated {
    type Ledger = World;
    type Workspaces = World;
    type Salesforce = World;
    type Clock = World;
    type Random = World;
}

fn store_error(_: Failed) -> StoreError {
    StoreError { operation: "simulated store", cause: "unplugged".to_owned() }
}

fn crm_error(class: FaultClass, code: &str) -> CrmError {
    CrmError {
        class,
        code: code.to_owned(),
        message: format!("{code} happened"),
        fields: Vec::new(),
        status: None,
        object: None,
        records: Vec::new(),
    }
}

impl Clock for World {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.state().clock()).unwrap()
    }

    async fn sleep(&self, duration: Duration) {
        self.park(i64::try_from(duration.as_millis()).unwrap()).await;
    }
}

impl Random for World {
    fn id(&self) -> String {
        let mut state = self.state();
        state.drawn += 1;
        format!("id-{}", state.drawn)
    }

    fn fraction(&self) -> f64 {
        self.state().rng.f64()
    }
}

impl Queue for World {
    async fn send(&self, message: &message::Message) -> Result<(), StoreError> {
        let body = message.body.clone();
        self.call("send message", move |state| state.enqueue(&body)).await.map(drop).map_err(store_error)
    }
}

impl State {
    /// Enqueues a message, occasionally twice, as SQS may. Returns how often.
    pub fn enqueue(&mut self, body: &str) -> usize {
        let copies = if self.rng.u32(0..10) == 0 { 2 } else { 1 };
        for _ in 0..copies {
            self.drawn += 1;
            let message =
                Message { id: self.drawn, body: body.to_owned(), visible_at: self.now, received: 0 };
            self.queue.push(message);
        }
        copies
    }
}
