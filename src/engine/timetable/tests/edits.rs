use super::{DAY, HOUR, Pi, cron};

#[tokio::test]
async fn a_changed_entry_is_a_new_trigger() {
    let mut pi = Pi::with("2026-11-20T05:30", &cron("0 7 * * *", "")).await;
    pi.live(HOUR).await;
    // Its moment of today is past: it does not run for it.
    pi.edit(&[("x", &cron("15 7 * * *", ""))]).await;
    pi.live(HOUR).await;
    assert_eq!(pi.due(), ["2026-11-20 07:00+01:00"]);
    pi.live(DAY).await;
    assert_eq!(pi.due()[1..], ["2026-11-21 07:15+01:00"]);
    // The same under a name of its own.
    let mut pi = Pi::with("2026-11-20T05:30", &cron("0 9 * * *", "id = \"morning\"")).await;
    pi.off(HOUR).await;
    pi.edit(&[("x", &cron("0 7 * * *", "id = \"morning\""))])
        .await;
    pi.live(60).await;
    assert!(pi.due().is_empty(), "{:?}", pi.slots());
}

#[tokio::test]
async fn what_is_switched_off_has_no_moments() {
    let job = cron("0 * * * *", "");
    let off = format!("enabled = false\n{job}");
    let mut pi = Pi::with("2026-11-20T05:30", &job).await;
    pi.live(HOUR).await;
    pi.edit(&[("x", &off)]).await;
    pi.live(3 * HOUR).await;
    pi.edit(&[("x", &job)]).await;
    pi.live(HOUR).await;
    assert_eq!(pi.slots(), ["11-20 06:00 1 run", "11-20 10:00 1 run"]);
    pi.edit(&[("x", &cron("0 * * * *", "enabled = false"))])
        .await;
    pi.live(3 * HOUR).await;
    assert_eq!(pi.slots().len(), 2);
}

#[tokio::test]
async fn an_edit_elsewhere_changes_nothing() {
    let job = cron("0 * * * *", "");
    let mut pi = Pi::on("2026-11-20T05:30", &[("x", &job)]).await;
    for _ in 0..4 {
        pi.live(HOUR).await;
        let with_more = format!("description = \"more\"\n{job}");
        pi.edit(&[("x", &with_more), ("y", &cron("0 0 1 1 *", ""))])
            .await;
    }
    assert_eq!(pi.due().len(), 4);
    assert!(pi.slots().iter().all(|slot| slot.ends_with("1 run")));
}
