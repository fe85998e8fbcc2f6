//! From when until when a certificate is good.
//!
//! ```text
//!  Certificate  sequence { TBSCertificate, .. }
//!  TBS          sequence { [0] version, serial, signature, issuer, validity, .. }     version may be left out
//!  validity     sequence { from, until }           each YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ
//! ```
//!
//! Only the way there is read (DER, RFC 5280). What must stay true: no bytes make it panic; what does not have this shape
//! is no certificate.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use std::ops::RangeInclusive;

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The first and the last second at which a certificate is good; none: it is not one.
pub(super) fn validity(certificate: &[u8]) -> Option<RangeInclusive<Timestamp>> {
    let mut whole = certificate;
    let mut fields = expect(&mut expect(&mut whole, SEQUENCE)?, SEQUENCE)?;
    if fields.first() == Some(&VERSION) {
        element(&mut fields)?;
    }
    let (_serial, _signature, _issuer) = (element(&mut fields)?, element(&mut fields)?, element(&mut fields)?);
    let mut times = expect(&mut fields, SEQUENCE)?;
    Some(time(element(&mut times)?)?..=time(element(&mut times)?)?)
}

fn expect<'a>(rest: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    element(rest).filter(|(found, _)| *found == tag).map(|(_, content)| content)
}

/// Takes one element off: its tag and its content.
fn element<'a>(rest: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let (tag, length, mut behind) = match *rest {
        [tag, length @ 0..=0x7f, behind @ ..] => (*tag, usize::from(*length), behind),
        [tag, long @ 0x81..=0x84, behind @ ..] => {
            let (digits, behind) = behind.split_at_checked(usize::from(long & 0x7f))?;
            (*tag, digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), behind)
        }
        _ => return None,
    };
    let content = behind.split_off(..length)?;
    *rest = behind;
    Some((tag, content))
}

fn time((tag, text): (u8, &[u8])) -> Option<Timestamp> {
    let digits = text.strip_suffix(b"Z")?;
    let (year, mut digits) = match tag {
        // Two digits of the year: 50 and later are of the last century.
        UTC_TIME if digits.len() == 12 => (two(digits)? + if two(digits)? < 50 { 2000 } else { 1900 }, &digits[2..]),
        GENERALIZED_TIME if digits.len() == 14 => (two(digits)? * 100 + two(&digits[2..])?, &digits[4..]),
        _ => return None,
    };
    let mut fields = [0; 5];
    for field in &mut fields {
        *field = i8::try_from(two(digits)?).ok()?;
        digits = &digits[2..];
    }
    let [month, day, hour, minute, second] = fields;
    let time = DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    // The last second of the year 9999 says "without end", and is later than what a timestamp holds.
    Some(TimeZone::UTC.to_timestamp(time).unwrap_or(Timestamp::MAX))
}

/// The number that the first two digits are.
fn two(digits: &[u8]) -> Option<i16> {
    match digits {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9', ..] => Some(i16::from(tens - b'0') * 10 + i16::from(ones - b'0')),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    fn certificate(from: i32, until: i32) -> Vec<u8> {
        let mut parameters = CertificateParams::new(["localhost".to_owned()]).unwrap();
        (parameters.not_before, parameters.not_after) = (date_time_ymd(from, 1, 2), date_time_ymd(until, 12, 31));
        parameters.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn both_forms_of_time_are_read_in_both_centuries() {
        for (from, until) in [(1975, 2049), (1999, 2000), (2020, 2050), (2050, 9998)] {
            let found = validity(&certificate(from, until)).unwrap();
            assert_eq!(found.start().to_string(), format!("{from}-01-02T00:00:00Z"));
            assert_eq!(found.end().to_string(), format!("{until}-12-31T00:00:00Z"));
        }
        assert_eq!(*validity(&certificate(2020, 9999)).unwrap().end(), Timestamp::MAX);
        assert_eq!(time((GENERALIZED_TIME, b"99991231235959Z")), Some(Timestamp::MAX));
    }

    #[test]
    fn what_is_no_certificate_is_none_and_never_a_panic() {
        let good = certificate(2020, 2030);
        for length in 0..good.len() {
            assert_eq!(validity(&good[..length]), None);
        }
        for index in 0..good.len() {
            for byte in [0, 0x30, 0x7f, 0x80, 0x81, 0x84, 0x85, 0xff] {
                let mut bytes = good.clone();
                bytes[index] = byte;
                let _ = validity(&bytes);
            }
        }
        let times: [&[u8]; 7] =
            [b"", b"Z", b"200101000000", b"20010100000Z", b"201301000000Z", b"2001010000+0Z", b"200230000000Z"];
        assert!(times.iter().all(|text| time((UTC_TIME, text)).is_none()));
        assert_eq!(time((GENERALIZED_TIME, b"200101000000Z")), None);
    }
}
