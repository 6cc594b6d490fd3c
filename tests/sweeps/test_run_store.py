import os
import threading

import pyarrow.parquet as pq
import pytest

from firstlight.comparison.spec import RunResult
from firstlight.errors import FirstlightError
from firstlight.sweeps.job import Job
from firstlight.sweeps.plan import Plan
from firstlight.sweeps.row import SCHEMA, from_row, lost_row, to_row
from firstlight.sweeps.store import RunStore
from sweeps.conftest import small


@pytest.fixture
def jobs():
    return [each.job for each in Plan(small(seeds=300)).first()]


def row(job: Job, accuracy: float = 0.5) -> dict:
    result = RunResult(
        spec=job.spec,
        status="ok",
        accuracy=(accuracy,),
        loss=(1.25,),
        train_loss=(1.5,),
        seconds=(0.1,),
        parameters=7,
        device="cpu",
        versions={"torch": "2"},
    )
    return to_row(job, result, "here")


def test_what_was_saved_comes_back_whole(tmp_path, jobs):
    with RunStore(tmp_path) as store:
        for number, job in enumerate(jobs[:3]):
            store.save(row(job, number / 4))
        assert store.finished() == {job.key for job in jobs[:3]}
        frame = store.frame([jobs[2].key])
    (found,) = frame.to_dict("records")
    assert from_row(found).accuracy == (0.5,)
    assert from_row(found).spec == jobs[2].spec
    assert list(frame.columns) == SCHEMA.names


def test_a_file_that_was_cut_short_is_no_result(tmp_path, jobs):
    with RunStore(tmp_path) as store:
        store.save(row(jobs[0]))
        store.save(row(jobs[1]))
        path = store.runs / f"{jobs[0].key}.parquet"
        path.write_bytes(path.read_bytes()[:-10])
        (store.runs / "note.txt").write_text("not a run")
        assert store.finished() == {jobs[1].key}
        assert len(store.frame()) == 1


def test_what_a_killed_sweep_left_half_written_goes(tmp_path, jobs):
    (tmp_path / "runs").mkdir()
    rest = tmp_path / "runs" / f".{jobs[0].key}.4711.tmp.parquet"
    rest.write_bytes(b"half")
    with RunStore(tmp_path) as store:
        assert not rest.exists()
        assert store.finished() == set()


def test_two_sweeps_cannot_write_to_one_folder(tmp_path):
    refused = []

    def second():
        try:
            with RunStore(tmp_path):
                pass
        except FirstlightError as error:
            refused.append(str(error))

    with RunStore(tmp_path):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
    assert refused == [f"another sweep is writing to {tmp_path}; wait for it"]
    with RunStore(tmp_path):
        pass


def test_many_files_are_read_once_and_changes_are_seen(tmp_path, jobs):
    with RunStore(tmp_path) as store:
        for job in jobs[:250]:
            store.save(row(job, 0.25))
        assert store.frame()["accuracy_max"].tolist() == [0.25] * 250
        copy = tmp_path / "packed.parquet"
        assert pq.read_metadata(copy).num_rows == 250
        # a new one, a changed one, one that is gone
        store.save(row(jobs[250], 0.75))
        store.save(row(jobs[0], 1.0))
        os.utime(store.runs / f"{jobs[0].key}.parquet", ns=(1, 1))
        (store.runs / f"{jobs[1].key}.parquet").unlink()
        frame = store.frame().set_index("key")
        assert len(frame) == 250
        assert frame.loc[jobs[250].key, "accuracy_max"] == 0.75
        assert frame.loc[jobs[0].key, "accuracy_max"] == 1.0
        copy.write_bytes(b"broken")
        assert len(store.frame()) == 250


def test_a_lost_run_is_listed_until_it_is_finished(tmp_path, jobs):
    with RunStore(tmp_path) as store:
        store.save_failed(lost_row(jobs[0], "its worker ended by signal 9"))
        assert store.failures()["status"].tolist() == ["lost"]
        assert store.finished() == set()
        store.save(row(jobs[0]))
        assert len(store.failures()) == 0


def test_a_file_in_the_place_of_the_folder(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(ValueError, match="out must be a folder"):
        RunStore(tmp_path / "out")
