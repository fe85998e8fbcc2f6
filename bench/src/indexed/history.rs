//! The events of a store of a size: the same ones every time, spread over the whole of it.
//!
//! ```text
//!  stream    order-...   most of the events, at random
//!            ledger-1    1,000 events, from the beginning to the end
//!            account-... 1,000 streams of one event, all in the first tenth: long cold at the end
//!  type      OrderReturned, 1 %, or OrderPlaced
//!  tags      customer:... (10,000), product:... (1,000) or campaign:spring (200 events), region:... (8)
//! ```
//!
//! Half of the campaign's events are of region 0, so that a query for both tags matches 100 events.

use crate::events::DATA_BYTES;
use crate::outcome::Outcome;
use gesta::{Event, EventType, NameError, StreamName, Tag};
use serde::Serialize;

/// How large a store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Scale {
    /// Its events: a multiple of 20,000.
    pub event_count: u64,
    /// Streams that are written all the time.
    pub stream_count: u64,
}

/// Makes the events of a scale.
#[derive(Clone, Debug)]
pub struct History {
    scale: Scale,
    orders: Vec<StreamName>,
    accounts: Vec<StreamName>,
    ledger: StreamName,
    placed: EventType,
    returned: EventType,
    customers: Vec<Tag>,
    products: Vec<Tag>,
    regions: Vec<Tag>,
    campaign: Tag,
    data: Vec<u8>,
}

impl History {
    /// Streams of one old event.
    pub const ACCOUNT_COUNT: u64 = 1_000;
    /// Events of the stream that is read.
    pub const LEDGER_COUNT: u64 = 1_000;
    /// Events that have both tags of the query.
    pub const CAMPAIGN_MATCH_COUNT: u64 = Self::CAMPAIGN_COUNT / 2;
    /// One event of so many is of the rarer type.
    pub const RETURNED_EVERY: u64 = 100;
    const CAMPAIGN_COUNT: u64 = 200;
    const CUSTOMER_COUNT: u64 = 10_000;
    const PRODUCT_COUNT: u64 = 1_000;
    const REGION_COUNT: u64 = 8;

    /// The events of a scale.
    pub fn new(scale: Scale) -> Outcome<Self> {
        assert!(scale.event_count.is_multiple_of(20_000), "the rarer events are spread evenly");
        let streams = |category: &str, count: u64| -> Result<Vec<StreamName>, NameError> {
            (0..count).map(|number| StreamName::new(format!("{category}-{number:07}"))).collect()
        };
        let tags = |key: &str, count: u64| -> Result<Vec<Tag>, NameError> {
            (0..count).map(|number| Tag::new(format!("{key}:{number}"))).collect()
        };
        Ok(Self {
            scale,
            orders: streams("order", scale.stream_count)?,
            accounts: streams("account", Self::ACCOUNT_COUNT)?,
            ledger: StreamName::new("ledger-1")?,
            placed: EventType::new("OrderPlaced")?,
            returned: EventType::new("OrderReturned")?,
            customers: tags("customer", Self::CUSTOMER_COUNT)?,
            products: tags("product", Self::PRODUCT_COUNT)?,
            regions: tags("region", Self::REGION_COUNT)?,
            campaign: Tag::new("campaign:spring")?,
            data: (0..=u8::MAX).cycle().take(DATA_BYTES).collect(),
        })
    }

    /// How large the store is.
    #[must_use]
    pub fn scale(&self) -> Scale {
        self.scale
    }

    /// The event at a position. Beyond the scale there are only events that nothing looks for.
    #[must_use]
    pub fn event(&self, position: u64) -> Event {
        let random = scattered(position);
        let customer = one_of(&self.customers, random >> 8);
        let event = Event::new(self.type_at(position).clone()).stream(self.stream_at(position, random).clone());
        let (product, region) = match self.campaign_at(position) {
            Some(number) => (&self.campaign, one_of(&self.regions, number % 2)),
            None => (one_of(&self.products, random >> 24), one_of(&self.regions, random >> 40)),
        };
        event.tag(customer.clone()).tag(product.clone()).tag(region.clone()).data(self.data.as_slice())
    }

    /// The stream of which every so many events there is one.
    #[must_use]
    pub fn ledger(&self) -> &StreamName {
        &self.ledger
    }

    /// A stream that got its only event long ago.
    #[must_use]
    pub fn account(&self, number: u64) -> &StreamName {
        one_of(&self.accounts, number)
    }

    /// Two tags that 100 events have together; the second is on an eighth of all events.
    #[must_use]
    pub fn campaign_tags(&self) -> [Tag; 2] {
        [self.campaign.clone(), self.regions[0].clone()]
    }

    /// Two tags, each on an eighth of all events, that no event has together.
    #[must_use]
    pub fn apart_tags(&self) -> [Tag; 2] {
        [self.regions[0].clone(), self.regions[1].clone()]
    }

    /// Two tags, each on one event of 10,000, that no event has together.
    #[must_use]
    pub fn rare_apart_tags(&self, number: u64) -> [Tag; 2] {
        [number, number + 1].map(|number| one_of(&self.customers, number).clone())
    }

    /// The type of one event of a hundred.
    #[must_use]
    pub fn returned(&self) -> &EventType {
        &self.returned
    }

    fn is_beyond(&self, position: u64) -> bool {
        position >= self.scale.event_count
    }

    fn type_at(&self, position: u64) -> &EventType {
        let is_returned = position % Self::RETURNED_EVERY == Self::RETURNED_EVERY / 2 && !self.is_beyond(position);
        if is_returned { &self.returned } else { &self.placed }
    }

    fn stream_at(&self, position: u64, random: u64) -> &StreamName {
        let event_count = self.scale.event_count;
        let account_every = event_count / 10 / Self::ACCOUNT_COUNT;
        if self.is_beyond(position) {
            one_of(&self.orders, random)
        } else if position.is_multiple_of(event_count / Self::LEDGER_COUNT) {
            &self.ledger
        } else if position < event_count / 10 && position % account_every == 1 {
            self.account(position / account_every)
        } else {
            one_of(&self.orders, random)
        }
    }

    /// Which event of the campaign stands at a position.
    fn campaign_at(&self, position: u64) -> Option<u64> {
        let every = self.scale.event_count / Self::CAMPAIGN_COUNT;
        (position % every == every - 1 && !self.is_beyond(position)).then_some(position / every)
    }
}

/// The same number for the same position, and no pattern otherwise.
fn scattered(position: u64) -> u64 {
    let mixed = (position + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn one_of<T>(all: &[T], random: u64) -> &T {
    let number = random % all.len() as u64;
    &all[usize::try_from(number).unwrap_or_default()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use gesta::codec::encode_record;
    use gesta::{Position, Query, QueryItem, Record, Uuid};

    #[test]
    fn what_is_looked_for_is_there_as_often_as_said() {
        let history = History::new(Scale { event_count: 20_000, stream_count: 1_000 }).unwrap();
        let item = |tags: [Tag; 2]| Query::from(QueryItem { tags: tags.to_vec(), ..QueryItem::new() });
        let queries = [
            item(history.campaign_tags()),
            item(history.apart_tags()),
            item(history.rare_apart_tags(7)),
            QueryItem::new().event_type(history.returned().clone()).into(),
            QueryItem::new().stream(history.ledger().clone()).into(),
            QueryItem::new().stream(history.account(999).clone()).into(),
        ];
        let mut counts = [0; 6];
        for position in 0..21_000 {
            let mut bytes = Vec::new();
            encode_record(&history.event(position), Uuid::from_u128(1), &mut bytes);
            let (record, _) = Record::decode(&bytes, Position(position)).unwrap();
            for (count, query) in counts.iter_mut().zip(&queries) {
                *count += usize::from(query.matches(&record));
            }
        }
        assert_eq!(counts, [100, 0, 0, 200, 1_000, 1]);
    }
}
