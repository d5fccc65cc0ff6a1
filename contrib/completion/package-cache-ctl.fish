# fish completion for package-cache-ctl(8): commands, their options, and what those take.
# Install it as /usr/share/fish/vendor_completions.d/package-cache-ctl.fish

set -l commands status stats reload cull ls purge verify fetch import downloads sources why watch top \
    log-level

complete -c package-cache-ctl -f
complete -c package-cache-ctl -l json -d 'print the answer as JSON'
complete -c package-cache-ctl -l quiet -d 'print nothing but errors'
complete -c package-cache-ctl -l socket -r -F -d 'the socket of the daemon'
complete -c package-cache-ctl -l version -d 'print the versions of both programs'
complete -c package-cache-ctl -l help -d 'tell how it is used'

set -l first "not __fish_seen_subcommand_from $commands"
complete -c package-cache-ctl -n $first -a status -d 'what the daemon is and how it is doing'
complete -c package-cache-ctl -n $first -a stats -d 'what it has served and saved'
complete -c package-cache-ctl -n $first -a reload -d 'read the configuration again'
complete -c package-cache-ctl -n $first -a cull -d 'remove what has not been used for long'
complete -c package-cache-ctl -n $first -a ls -d 'list what is stored'
complete -c package-cache-ctl -n $first -a purge -d 'remove named files'
complete -c package-cache-ctl -n $first -a verify -d 'compare files with the Manifests'
complete -c package-cache-ctl -n $first -a fetch -d 'download files beforehand'
complete -c package-cache-ctl -n $first -a import -d 'take over the files of a DISTDIR'
complete -c package-cache-ctl -n $first -a downloads -d 'what is being downloaded now'
complete -c package-cache-ctl -n $first -a sources -d 'how the sources are doing'
complete -c package-cache-ctl -n $first -a why -d 'explain what happens to a path'
complete -c package-cache-ctl -n $first -a watch -d 'show what happens, as it happens'
complete -c package-cache-ctl -n $first -a top -d 'a live screen'
complete -c package-cache-ctl -n $first -a log-level -d 'show or change how much the log tells'

set -l cull '__fish_seen_subcommand_from cull'
complete -c package-cache-ctl -n $cull -l older-than -x -a '30d 90d 180d 1y' -d 'not used for so long'
complete -c package-cache-ctl -n $cull -l to-size -x -d 'until no more is left'
complete -c package-cache-ctl -n $cull -l path -x -d 'matching files only'
complete -c package-cache-ctl -n $cull -l dry-run -d 'remove nothing, list the files'
complete -c package-cache-ctl -n $cull -l list -d 'list the files that are removed'

set -l ls '__fish_seen_subcommand_from ls'
complete -c package-cache-ctl -n $ls -l sort -x -a 'path size used' -d 'by what'

set -l verify '__fish_seen_subcommand_from verify'
complete -c package-cache-ctl -n $verify -l repair -d 'fetch what is wrong anew'
complete -c package-cache-ctl -n $verify -l rate -x -d 'read no more in a second'

set -l import '__fish_seen_subcommand_from import'
complete -c package-cache-ctl -n $import -l link -d 'share the files, copy nothing'
complete -c package-cache-ctl -n $import -l unverified -d 'take what no Manifest names, too'
# Its operand is a directory; the options are told until there is a beginning of one.
set -l begun "$import; and string match -qr '^[^-]' -- (commandline -ct)"
complete -c package-cache-ctl -n $begun -x -a '(__fish_complete_directories)'

set -l downloads '__fish_seen_subcommand_from downloads'
complete -c package-cache-ctl -n $downloads -l cancel -x -d 'give this download up'

set -l watch '__fish_seen_subcommand_from watch'
complete -c package-cache-ctl -n $watch -l requests -d 'every request as well'

set -l level '__fish_seen_subcommand_from log-level'
complete -c package-cache-ctl -n $level -a 'error warn info debug'
