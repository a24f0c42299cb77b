# A Slurm on this machine, in the current folder: its own munge, one node with two slots. Sourced; its daemons end
# with the shell, however that ends.
mkdir -p state spool
export SLURM_CONF=$PWD/slurm.conf
host=$(hostname -s)
ours() { setpriv --pdeathsig KILL "$@" & }
is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
while port=$((20000 + RANDOM % 10000)); ! is_free $port || ! is_free $((port + 1)); do :; done
head -c 1024 /dev/urandom >munge.key && chmod 600 munge.key
chmod 755 .
ours munged --foreground --force --num-threads=1 --key-file="$PWD/munge.key" --socket="$PWD/munge.sock" \
    --pid-file="$PWD/munged.pid" --seed-file="$PWD/munge.seed" >munged.log 2>&1
cat >slurm.conf <<END
ClusterName=heddle
SlurmctldHost=$host(127.0.0.1)
SlurmUser=$(id -un)
AuthType=auth/munge
AuthInfo=socket=$PWD/munge.sock
CredType=cred/munge
SlurmctldPort=$port
SlurmdPort=$((port + 1))
StateSaveLocation=$PWD/state
SlurmdSpoolDir=$PWD/spool
SlurmctldPidFile=$PWD/slurmctld.pid
SlurmdPidFile=$PWD/slurmd.pid
SlurmctldLogFile=$PWD/slurmctld.log
SlurmdLogFile=$PWD/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
MpiDefault=none
ReturnToService=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
ours slurmctld -D -c >/dev/null 2>&1
ours slurmd -D -N "$host" >/dev/null 2>&1
for _ in $(seq 60); do
    sinfo -h -o %t 2>/dev/null | grep -q idle && break
    sleep 1
done
sinfo -h -o %t | grep -q idle || { echo "Slurm has no node"; tail -5 munged.log slurmctld.log slurmd.log; exit 1; }
