"""MixTraining once a day, as an Airflow DAG: prepare what is there, train on it, ask for the result.

Every task may be repeated: a run is known by its id, which is the day's, so that one that was
interrupted goes on, and one that is finished is not trained again. Exit codes: 0 done; 2 bad input,
which a retry cannot fix; 1, 3 and 4 (failed, interrupted, held by another process) are worth a retry.

MIXTRAINING_HOME is this repository, MIXTRAINING_LAUNCHER one of standalone, yarn and kubernetes,
MIXTRAINING_DATA where datasets go, on a cluster a path that all its machines reach (s3a://…, hdfs://…).
The result is asked for on this machine, whose Spark must reach run.output.
"""

import os
from datetime import datetime, timedelta

from airflow import DAG
from airflow.operators.bash import BashOperator

HOME = os.environ.get("MIXTRAINING_HOME", "/opt/mixtraining")
LAUNCHER = os.environ.get("MIXTRAINING_LAUNCHER", "standalone")
CONF = os.environ.get("MIXTRAINING_CONF", "conf/quickstart.conf")
RUN = "daily-{{ ds_nodash }}"
DATA = os.environ.get("MIXTRAINING_DATA", "data") + "/" + RUN

# Airflow takes exit code 99 for "do not try again".
GIVE_UP = '; code=$?; [ "$code" -ne 2 ] || exit 99; exit "$code"'


def command(words: str) -> str:
    """A command of the job, by the launcher."""
    return f"cd {HOME} && submit/{LAUNCHER} {words}"


PREPARE = command(f"prepare --keep --conf {CONF} -D data.path={DATA}")
TRAIN = command(f"train --conf {CONF} -D data.path={DATA} -D run.id={RUN}")
RESULT = (
    f"cd {HOME} && MASTER='local[*]' submit/mixtraining sql --conf {CONF} --json -e "
    f"\"select run_id, best_epoch, test_accuracy_at_best from runs where run_id = '{RUN}'\""
)

with DAG(
    dag_id="mixtraining",
    schedule="@daily",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": timedelta(minutes=5)},
) as dag:
    prepare = BashOperator(task_id="prepare", bash_command=PREPARE + GIVE_UP)
    train = BashOperator(task_id="train", bash_command=TRAIN + GIVE_UP)
    # Its last line, which holds the best epoch and its accuracy, goes to the tasks that follow.
    result = BashOperator(task_id="result", bash_command=RESULT, do_xcom_push=True)
    prepare >> train >> result
