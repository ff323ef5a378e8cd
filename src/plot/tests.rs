use std::io::Read;

use flate2::read::ZlibDecoder;

use super::*;

fn chart() -> Chart {
    let series = |name: &str, values: &[u64]| Series {
        name: name.to_owned(),
        notes: ["1.2k".to_owned(), "0.5".to_owned()],
        values: values.to_vec(),
        rest: false,
    };
    Chart {
        title: "Title".to_owned(),
        subtitle: "Subtitle".to_owned(),
        labels: vec!["Fri 20".to_owned(), "Sat 21".to_owned()],
        series: vec![series("small", &[100, 0]), series("large", &[50, 30])],
        nothing: "nothing".to_owned(),
    }
}

/// Red, green and blue of each point that the file holds, and its width.
fn points(png: &[u8]) -> (Vec<[u8; 3]>, usize) {
    let word = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap()) as usize;
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    assert_eq!(&png[12..16], b"IHDR");
    let (width, height) = (word(16), word(20));
    let body = 8 + 12 + 13;
    assert_eq!(&png[body + 4..body + 8], b"IDAT");
    let mut rows = Vec::new();
    let data = &png[body + 8..body + 8 + word(body)];
    ZlibDecoder::new(data).read_to_end(&mut rows).unwrap();
    assert_eq!(rows.len(), height * (1 + width * 3));
    let mut above = vec![0u8; width * 3];
    let mut points = Vec::new();
    for row in rows.chunks_exact(1 + width * 3) {
        assert_eq!(row[0], 2);
        for (now, above) in row[1..].iter().zip(&mut above) {
            *above = above.wrapping_add(*now);
        }
        points.extend(
            above
                .chunks_exact(3)
                .map(|point| [point[0], point[1], point[2]]),
        );
    }
    (points, width)
}

#[test]
fn bars_stand_on_each_other_as_high_as_their_values() {
    let (points, width) = points(&chart().draw(Format::Png).unwrap());
    // The column through the middle of each bar: left of it 76 points of labels, 16 right of it.
    let tall = |part: usize, colour: [u8; 3]| {
        let x = 76 + (width - 76 - 16) * part / 4;
        let column = points.chunks_exact(width).map(|row| row[x]);
        column.filter(|point| *point == colour).count() as f64
    };
    let (blue, orange) = ([0x00, 0x72, 0xb2], [0xe6, 0x9f, 0x00]);
    let (small, large) = (tall(1, blue), tall(1, orange));
    assert!((small / large - 2.0).abs() < 0.05, "{small} {large}");
    assert!((large / tall(3, orange) - 5.0 / 3.0).abs() < 0.05);
    assert_eq!(tall(3, blue), 0.0);
}

#[test]
fn letters_are_drawn_without_a_font_of_the_machine() {
    let ink = |title: &str| {
        let mut chart = chart();
        title.clone_into(&mut chart.title);
        let (points, width) = points(&chart.draw(Format::Png).unwrap());
        let lines = &points[..width * 50];
        lines.iter().filter(|point| **point != [0xff; 3]).count()
    };
    assert_eq!(ink(""), 0);
    assert!(ink("días") > ink("d"));
    // What has no shape is seen to be there.
    assert_eq!(ink("日"), ink("?"));
}

#[test]
fn names_are_data_in_an_svg() {
    let mut chart = chart();
    chart.series[0].name = "</text><script>&\"'\u{1b}".to_owned();
    let svg = String::from_utf8(chart.draw(Format::Svg).unwrap()).unwrap();
    assert!(!svg.contains("<script>"), "{svg}");
    assert!(
        svg.contains("&lt;/text&gt;&lt;script&gt;&amp;&quot;&apos;"),
        "{svg}"
    );
    assert!(!svg.contains('\u{1b}'), "{svg}");
    assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"));
    assert!(svg.contains("Sat 21") && svg.contains("Subtitle"), "{svg}");
}

#[test]
fn where_there_are_no_bars_words_say_so() {
    let empty = Chart {
        series: Vec::new(),
        ..chart()
    };
    let svg = String::from_utf8(empty.draw(Format::Svg).unwrap()).unwrap();
    assert!(svg.contains("nothing") && !svg.contains("Sat 21"), "{svg}");
    empty.draw(Format::Png).unwrap();
}

#[test]
fn counts_are_short() {
    for (count, expected) in [
        (0, "0"),
        (999, "999"),
        (1_000, "1k"),
        (9_940, "9.9k"),
        (9_960, "10k"),
        (999_499, "999k"),
        (999_500, "1M"),
        (4_100_000, "4.1M"),
        (u64::MAX, "18446744T"),
    ] {
        assert_eq!(short(count), expected);
    }
}

#[test]
fn the_name_says_the_format() {
    assert_eq!(Format::of("a/week.PNG"), Some(Format::Png));
    assert_eq!(Format::of("week.svg"), Some(Format::Svg));
    for path in ["week", "week.jpg", ".png", ""] {
        assert_eq!(Format::of(path), None, "{path}");
    }
}
