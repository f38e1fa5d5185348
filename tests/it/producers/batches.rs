//! Many at once: one answer a job, in order, whatever happens to its neighbours.

use redis::AsyncCommands;
use stillcast_enqueue::{
    EnqueueError, Enqueued, InvalidField, Job, JobId, Replication, State, Submission,
};
use tests::fleet::Fleet;
use tests::script::Script;
use tests::server::Server;

fn job() -> Job {
    Script::default().job()
}

fn created(job: &Job, state: State) -> Enqueued {
    let replication = Replication::NotAsked;
    Enqueued { id: job.id.clone(), submission: Submission::Created(state), replication }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_job_hides_none_of_its_neighbours() {
    let fleet = Fleet::start().await.unwrap();
    let later = chrono::Utc::now() + std::time::Duration::from_mins(1);
    let jobs = [job(), job().with_priority(10), job().with_tenant("a/b"), job().with_run_at(later)];
    let answers = fleet.producer.enqueue_many(&jobs).await;
    assert_eq!(answers[0].as_ref().unwrap(), &created(&jobs[0], State::Ready));
    let fault = |at: usize| match &answers[at] {
        Err(EnqueueError::Invalid(invalid)) => invalid.fields().to_vec(),
        other => unreachable!("{other:?}"),
    };
    let range = InvalidField::value("priority", "a whole number from 0 to 9", "10");
    assert_eq!((fault(1), fault(2)[0].field.as_str()), (vec![range], "tenant"));
    assert_eq!(answers[3].as_ref().unwrap(), &created(&jobs[3], State::Delayed));
    assert_eq!(fleet.stats().await.unwrap().enqueued, 2, "nothing invalid reached Redis");
}

/// More than two scripts' worth, with a job that stands twice in the list.
#[tokio::test(flavor = "multi_thread")]
async fn every_job_of_a_large_batch_has_its_own_answer() {
    let fleet = Fleet::start().await.unwrap();
    let mut jobs: Vec<Job> = (0..1201).map(|_| job()).collect();
    jobs.push(jobs[7].clone());
    let answers = fleet.producer.enqueue_many(&jobs).await;
    let answered: Vec<JobId> = answers.iter().map(|a| a.as_ref().unwrap().id.clone()).collect();
    let wanted: Vec<JobId> = jobs.iter().map(|job| job.id.clone()).collect();
    assert_eq!(answered, wanted);
    let last = answers.last().unwrap().as_ref().unwrap();
    assert_eq!(last.submission, Submission::Duplicate(State::Ready));
    assert_eq!(fleet.stats().await.unwrap().enqueued, 1201);
}

/// Between 75 % of its memory and the brim: what stands is still named, what is new is refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_still_names_the_jobs_that_stand() {
    let fleet = Fleet::on(Server::start_with(Some("32mb")).await.unwrap()).await.unwrap();
    let standing = job().with_idempotency_key("evening-9");
    fleet.enqueue(std::slice::from_ref(&standing)).await.unwrap();
    let junk: Vec<String> = (0..25).map(|number| format!("junk:{number}")).collect();
    let mut connection = fleet.connection();
    for key in &junk {
        let () = connection.set(key, "x".repeat(1_000_000)).await.unwrap();
    }
    let again = Job { id: JobId::generate(), ..standing.clone() };
    // The verdict of memory is kept for a moment: a job that slips in stands from then on and is
    // never refused again, so each look brings new ones.
    let full = async || {
        let jobs = [job(), again.clone(), standing.clone(), job()];
        let answers = fleet.producer.enqueue_many(&jobs).await;
        matches!(answers[3], Err(EnqueueError::Full)).then_some(answers)
    };
    let answers = fleet.until("the queue is full", full).await.unwrap();
    for at in [1, 2] {
        let answer = answers[at].as_ref().unwrap();
        let known = (&standing.id, Submission::Duplicate(State::Ready));
        assert_eq!((&answer.id, answer.submission), known);
    }
    let number = fleet.stats().await.unwrap().enqueued;
    let _: i64 = connection.del(&junk).await.unwrap();
    let room = async || fleet.producer.enqueue(&job()).await.ok();
    fleet.until("there is room again", room).await.unwrap();
    assert_eq!(fleet.stats().await.unwrap().enqueued, number + 1);
}
