use super::*;

#[tokio::test]
async fn what_is_remembered_is_found_by_its_words_and_is_nobody_elses() {
    let home = Home::new();
    let keep = async |person: &str, text: &str| {
        let kept = home
            .store
            .keep_memory(person.to_owned(), text.to_owned(), false);
        kept.await.unwrap()
    };
    let coffee = keep("owner", "Ana takes her coffee without sugar").await;
    keep("owner", "El médico está en la calle Mayor").await;
    keep("4712", "The coffee machine is broken").await;
    let found = |person: &str, words: &[&str]| {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        let read = home
            .store
            .read_now(|reader| reader.memories(person, &words, 10));
        Vec::from_iter(read.unwrap().into_iter().map(|memory| memory.text))
    };
    assert_eq!(
        found("owner", &["coffee"]),
        ["Ana takes her coffee without sugar"]
    );
    assert_eq!(
        found("owner", &["medico"]),
        ["El médico está en la calle Mayor"]
    );
    assert_eq!(found("owner", &["sug"]).len(), 1);
    assert_eq!(found("owner", &["\" OR text:"]), Vec::<String>::new());
    assert_eq!(found("owner", &[]).len(), 2);
    assert_eq!(
        home.store
            .forget_memories("4712".to_owned(), Some(coffee))
            .await,
        Ok(0)
    );
    assert_eq!(
        home.store
            .forget_memories("owner".to_owned(), Some(coffee))
            .await,
        Ok(1)
    );
    assert_eq!(found("owner", &["coffee"]), Vec::<String>::new());
    assert_eq!(
        home.store.forget_memories("owner".to_owned(), None).await,
        Ok(1)
    );
    assert_eq!(found("4712", &["machine"]).len(), 1);
}
