complete -c wsummarize -o long -d 'Say which have failed, and which are left.'
complete -c wsummarize -o retry -d 'Count those that have failed among those that are left.'
complete -c wsummarize -o showtasks -d 'With -long: show the values of those that are left.'
complete -c wsummarize -o verbose -d 'Nothing: all is said.'
