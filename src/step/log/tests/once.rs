use proptest::collection::vec;
use proptest::prelude::*;

use super::Step;

/// What happens to a log between two looks.
#[derive(Debug, Clone)]
enum Act {
    Append(Vec<u8>),
    Look,
    Rotate,
}

fn act() -> impl Strategy<Value = Act> {
    let byte = prop_oneof![3 => Just(b'\n'), 3 => Just(b'a'), 2 => any::<u8>()];
    let long = (60_000..70_000usize).prop_map(|length| vec![b'x'; length]);
    prop_oneof![
        6 => vec(byte, 0..40).prop_map(Act::Append),
        1 => long.prop_map(Act::Append),
        4 => Just(Act::Look),
        1 => Just(Act::Rotate),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_complete_line_is_counted_exactly_once(acts in vec(act(), 1..40)) {
        let mut step = Step::new(&["app.log"]);
        step.look.choice.matches = Some(crate::step::log::LinePattern::new("a").expect("valid"));
        step.look();
        let mut file = Vec::new();
        let (mut written, mut matching) = (0, 0);
        let (mut total, mut count) = (0, 0);
        let mut rotations = 0;
        let mut look = |step: &mut Step| {
            let reading = step.look();
            total += reading.total;
            count += reading.count;
        };
        for act in acts {
            match act {
                Act::Append(bytes) => {
                    step.append("app.log", &bytes);
                    file.extend(bytes);
                }
                Act::Look => look(&mut step),
                // With a look before and after: of two rotations between looks the glob sees one.
                Act::Rotate if step.path("app.log").exists() => {
                    look(&mut step);
                    step.append("app.log", "a\n");
                    file.extend(b"a\n");
                    rotations += 1;
                    step.rename("app.log", &format!("app.log.{rotations}"));
                    step.append("app.log", "");
                    look(&mut step);
                    written += lines(&file, |_| true);
                    matching += lines(&file, |line| line.contains(&b'a'));
                    file.clear();
                }
                Act::Rotate => {}
            }
        }
        look(&mut step);
        written += lines(&file, |_| true);
        matching += lines(&file, |line| line.contains(&b'a'));
        prop_assert_eq!((total, count), (written, matching));
    }
}

/// Complete lines, and a last one that is already too long, of which only the beginning counts.
fn lines(file: &[u8], wanted: impl Fn(&[u8]) -> bool) -> u64 {
    let most = 64 * 1024;
    let counts = |line: &&[u8]| line.ends_with(b"\n") || line.len() > most;
    let begins = |line: &[u8]| wanted(&line[..line.len().min(most)]);
    file.split_inclusive(|&byte| byte == b'\n')
        .filter(counts)
        .filter(|line| begins(line))
        .count() as u64
}
