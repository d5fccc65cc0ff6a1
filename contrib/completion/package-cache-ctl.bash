# bash completion for package-cache-ctl(8): commands, their options, and what those take.
# Install it as /usr/share/bash-completion/completions/package-cache-ctl

_package_cache_ctl() {
  local common='--json --quiet --socket --version --help'
  local commands='status stats reload cull ls purge verify fetch import downloads sources why watch top'
  commands+=' log-level'
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
  local command='' index
  COMPREPLY=()

  for ((index = 1; index < COMP_CWORD; index++)); do
    case ${COMP_WORDS[index]} in
      --socket) ((index++)) ;;
      -*) ;;
      *) command=${COMP_WORDS[index]}; break ;;
    esac
  done

  case $before in
    --socket) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --older-than) mapfile -t COMPREPLY < <(compgen -W '30d 90d 180d 1y' -- "$word"); return ;;
    --sort) mapfile -t COMPREPLY < <(compgen -W 'path size used' -- "$word"); return ;;
    --to-size | --path | --rate | --cancel) return ;;
  esac

  local words=$common
  case $command in
    '') words="$commands $common" ;;
    cull) words="--older-than --to-size --path --dry-run --list $common" ;;
    ls) words="--sort $common" ;;
    verify) words="--repair --rate $common" ;;
    import)
      words="--link --unverified $common"
      # Its operand is a directory; the options are told until there is a beginning of one.
      if [[ $word == [!-]* ]]; then
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -d -- "$word")
        return
      fi
      ;;
    downloads) words="--cancel $common" ;;
    watch) words="--requests $common" ;;
    log-level) words="error warn info debug $common" ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}

complete -F _package_cache_ctl package-cache-ctl
