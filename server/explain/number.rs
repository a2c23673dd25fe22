//! Numbers as a person reads them.

/// A count with thousands separators: `1,234,567`.
#[must_use]
pub fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count in at most six characters, three digits significant: `999`, `20.4k`, `1.00M`.
#[must_use]
pub fn short_count(count: u64) -> String {
    if count < 1_000 {
        return count.to_string();
    }
    scaled(count as f64, 1e3, &["", "k", "M", "G", "T", "P", "E"])
}

/// A count in at most four characters, for where every cell counts: `999`, `1.2k`, `20k`, `1M`.
#[must_use]
pub fn brief_count(count: u64) -> String {
    let (mut value, mut unit) = (count as f64, 0);
    let units = ["", "k", "M", "G", "T", "P", "E"];
    // 999.5 would round to four digits.
    while value >= 999.5 && unit + 1 < units.len() {
        value /= 1e3;
        unit += 1;
    }
    let digits = if value < 9.95 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    };
    format!("{}{}", digits.strip_suffix(".0").unwrap_or(&digits), units[unit])
}

/// The least share that has a digit of its own; what is below is written `<0.1%`.
pub const LEAST_SHARE: f64 = 0.0005;

/// A share between 0 and 1 as a percentage in at most five characters: `23%`, `4.3%`, `<0.1%`.
#[must_use]
pub fn brief_percent(share: f64) -> String {
    let percent = share * 100.0;
    if share > 0.0 && share < LEAST_SHARE {
        "<0.1%".to_owned()
    } else if percent < 9.95 {
        format!("{percent:.1}%")
    } else {
        format!("{percent:.0}%")
    }
}

/// A count and its noun: `1 call`, `40 calls`.
#[must_use]
pub fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", self::count(count), if count == 1 { one } else { many })
}

/// A duration in ns with three significant digits: `58.0 ns`, `6.31 ms`.
#[must_use]
pub fn duration(ns: f64) -> String {
    if ns == 0.0 || !ns.is_finite() {
        return if ns == 0.0 {
            "0 ns".to_owned()
        } else {
            "an unknown time".to_owned()
        };
    }
    let text = scaled(ns.abs(), 1e3, &[" ns", " µs", " ms", " s"]);
    if ns < 0.0 { format!("-{text}") } else { text }
}

/// A share between 0 and 1 as a percentage: `23.0%`, `<0.1%` for what is small but not nothing.
#[must_use]
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if share > 0.0 && share < LEAST_SHARE {
        "<0.1%".to_owned()
    } else {
        format!("{percent:.1}%")
    }
}

fn scaled(value: f64, step: f64, units: &[&str]) -> String {
    let mut value = value;
    let mut unit = 0;
    // 999.5 would round to four digits.
    while value >= 999.5 && unit + 1 < units.len() {
        value /= step;
        unit += 1;
    }
    let digits = if value >= 999.5 {
        // Beyond the last unit, and beyond what u64 holds, is only noise.
        count_of(value)
    } else if value >= 99.95 {
        format!("{value:.0}")
    } else if value >= 9.995 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    };
    format!("{digits}{}", units[unit])
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Positive; `as` saturates.
fn count_of(value: f64) -> String {
    count(value.round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_in_threes() {
        let cases = [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (20_400, "20,400"),
            (123_456, "123,456"),
        ];
        for (number, text) in cases {
            assert_eq!(count(number), text);
        }
        assert_eq!(count(u64::MAX), "18,446,744,073,709,551,615");
    }

    #[test]
    fn short_counts_stay_short() {
        let cases = [
            (7, "7"),
            (999, "999"),
            (1_000, "1.00k"),
            (20_400, "20.4k"),
            (999_499, "999k"),
            (999_500, "1.00M"),
        ];
        for (number, text) in cases {
            assert_eq!(short_count(number), text);
        }
        assert_eq!(short_count(u64::MAX), "18.4E");
    }

    #[test]
    fn brief_numbers_are_brief() {
        let cases = [
            (0, "0"),
            (999, "999"),
            (1_000, "1k"),
            (1_249, "1.2k"),
            (9_951, "10k"),
            (20_400, "20k"),
            (999_499, "999k"),
            (999_500, "1M"),
            (u64::MAX, "18E"),
        ];
        for (number, text) in cases {
            assert_eq!(brief_count(number), text);
        }
        let cases = [
            (0.0, "0.0%"),
            (0.0004, "<0.1%"),
            (0.043, "4.3%"),
            (0.0995, "10%"),
            (0.23, "23%"),
            (1.0, "100%"),
        ];
        for (share, text) in cases {
            assert_eq!(brief_percent(share), text);
        }
    }

    #[test]
    fn durations_have_three_digits_and_the_unit_that_keeps_them() {
        let cases = [
            (0.0, "0 ns"),
            (0.25, "0.25 ns"),
            (58.0, "58.0 ns"),
            (99.96, "100 ns"),
            (999.4, "999 ns"),
            (999.6, "1.00 µs"),
            (6_312_345.0, "6.31 ms"),
            (999_999_999.0, "1.00 s"),
            (4.5e12, "4,500 s"),
            (-1500.0, "-1.50 µs"),
            (f64::NAN, "an unknown time"),
        ];
        for (ns, text) in cases {
            assert_eq!(duration(ns), text);
        }
    }

    #[test]
    fn small_shares_are_not_nothing() {
        let cases = [
            (0.0, "0.0%"),
            (0.0004, "<0.1%"),
            (0.0005, "0.1%"),
            (0.23, "23.0%"),
            (1.0, "100.0%"),
        ];
        for (share, text) in cases {
            assert_eq!(percent(share), text);
        }
    }
}
