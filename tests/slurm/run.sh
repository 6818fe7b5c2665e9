#!/usr/bin/env bash
# A study under a real Slurm on this machine: tasks reach their time limit and are queued again, and the records are those of
# the study run without it. Not part of the default tests: it installs slurm-wlm with apt-get where that is missing, needs root,
# and takes some minutes.
#   run.sh PROGRAM [EPOCHS]     of a final run (200): enough that a study takes longer than half a minute
epochs=${2:-200}
source "$(dirname "$0")/../program/setting.bash"
[ "$(id -u)" -eq 0 ] || { echo "run.sh: slurmctld and slurmd need root here" >&2; exit 2; }
command -v slurmctld >/dev/null || apt-get install -y --no-install-recommends slurm-wlm >/dev/null || exit 3

# One node that says it has four processors, whatever there are.
host=$(hostname -s)
mkdir -p slurm/state slurm/spool
cat >slurm/slurm.conf <<CONF
ClusterName=study
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/none
CredType=cred/none
SlurmctldPort=17817
SlurmdPort=17818
StateSaveLocation=$scratch/slurm/state
SlurmdSpoolDir=$scratch/slurm/spool
SlurmctldPidFile=$scratch/slurm/slurmctld.pid
SlurmdPidFile=$scratch/slurm/slurmd.pid
SlurmctldLogFile=$scratch/slurm/slurmctld.log
SlurmdLogFile=$scratch/slurm/slurmd.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=5
ReturnToService=2
KillWait=5
NodeName=$host NodeAddr=127.0.0.1 CPUs=4 State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF=$scratch/slurm/slurm.conf
slurmctld -D >slurm/ctld.txt 2>&1 &
controller=$!
slurmd -D >slurm/d.txt 2>&1 &
node=$!
trap 'scancel --user=root; kill $node $controller; wait; rm -rf "$scratch"' EXIT
for _ in $(seq 100); do sinfo -h -o %T 2>/dev/null | grep -q idle && break; sleep 0.2; done
sinfo -h -o %T | grep -q idle
verdict "slurmctld and slurmd are up" $?

"$cris" data synthesize pictures --count 60 --size 64 --seed 1 >/dev/null
cat >plan.toml <<PLAN
[study]
backbones = ["unet"]
strategies = ["backbone", "cris"]
trials = 3
trial_epochs = $((epochs / 10 + 1))
epochs = $epochs
seeds = [0, 1]

[settings]
data.size = 64
model.base = 4

[sets.kvasir-seg]
images = 60
PLAN
"$cris" study work plan.toml -o whole --data kvasir-seg=pictures --threads 1 >whole.txt 2>&1
verdict "the study without Slurm" $?

"$cris" study slurm plan.toml -o queued --data kvasir-seg=pictures --tasks 2 --cpus 1 --time 1 >/dev/null
# The signal comes when Slurm first looks at the task's time, within 30 s of its start.
sed -i 's/@120/@55/' queued/study.sbatch
sbatch queued/study.sbatch >job.txt
verdict "sbatch takes the script" $?
for _ in $(seq 240); do [ -z "$(squeue -h)" ] && break; sleep 5; done
[ -z "$(squeue -h)" ]
verdict "all tasks come to their end" $?
stops=$(cat queued/slurm-*.log | grep -c "stopped; the same command goes on")
[ "$stops" -gt 0 ]
verdict "tasks were stopped by their time limit and queued again ($stops times)" $?
"$cris" study status queued | grep -q "2 of 2 cells are complete"
verdict "the study is complete" $?
"$cris" study records whole -o records >/dev/null && "$cris" study records queued -o others >/dev/null
same_records "with and without Slurm: the same bytes but for the times" records others
finish
