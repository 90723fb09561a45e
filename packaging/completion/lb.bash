# bash completion for lb; made by: lb completion bash
_lb() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command= i place=0
  COMPREPLY=()
  case $before in
    --config|--stats-socket|--haproxy|--keepalived|--pcap) COMPREPLY=($(compgen -f -- "$word")); return ;;
    --engine) COMPREPLY=($(compgen -W "auto direct portable" -- "$word")); return ;;
    --priority|--interface|--vrid|--vip|--peer-key|--listen|--backend|--admin|--threads|--since|--interval) return ;;
  esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      -*) ;;
      *) if [ -z "$command" ]; then command=${COMP_WORDS[i]}; else place=$((place + 1)); fi ;;
    esac
  done
  if [ -z "$command" ]; then
    COMPREPLY=($(compgen -W "run check plan reload upgrade status watch explain drain server import completion version help --help --version" -- "$word"))
    return
  fi
  case $command:$place in
    plan:0) COMPREPLY=($(compgen -f -- "$word")) ;;
    plan:1) COMPREPLY=($(compgen -f -- "$word")) ;;
    server:0) COMPREPLY=($(compgen -W "list enable disable drain weight" -- "$word")) ;;
    server:1) COMPREPLY=($(compgen -W "$(lb server list --json 2>/dev/null | sed -n 's/.*"name": *"\([^"]*\)".*/\1/p')" -- "$word")) ;;
    server:2) : ;;
    completion:0) COMPREPLY=($(compgen -W "bash zsh" -- "$word")) ;;
  esac
  case $command in
    run) COMPREPLY+=($(compgen -W "--config --priority --interface --vrid --vip --peer-key --listen --backend --admin --stats-socket --engine --threads --no-vrrp --no-proxy" -- "$word")) ;;
    check) COMPREPLY+=($(compgen -W "--config --priority --interface --vrid --vip --peer-key --listen --backend --admin --stats-socket --engine --threads --no-vrrp --no-proxy --print --json" -- "$word")) ;;
    plan) COMPREPLY+=($(compgen -W "--config --stats-socket --json" -- "$word")) ;;
    reload) COMPREPLY+=($(compgen -W "--config --stats-socket --json" -- "$word")) ;;
    upgrade) COMPREPLY+=($(compgen -W "--config --stats-socket --json" -- "$word")) ;;
    status) COMPREPLY+=($(compgen -W "--config --stats-socket --json" -- "$word")) ;;
    watch) COMPREPLY+=($(compgen -W "--config --stats-socket --interval --once --json" -- "$word")) ;;
    explain) COMPREPLY+=($(compgen -W "--config --stats-socket --since --pcap --json" -- "$word")) ;;
    drain) COMPREPLY+=($(compgen -W "--config --stats-socket --undo --json" -- "$word")) ;;
    server) COMPREPLY+=($(compgen -W "--config --stats-socket --json" -- "$word")) ;;
    import) COMPREPLY+=($(compgen -W "--haproxy --keepalived --json" -- "$word")) ;;
    version) COMPREPLY+=($(compgen -W "--json" -- "$word")) ;;
  esac
}
complete -o filenames -F _lb lb
