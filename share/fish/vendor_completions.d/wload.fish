complete -c wload -o workers -d 'A line for each worker: how long it has worked, on how many items.'
complete -c wload -o workitems -d 'A line for each item: its worker, how long it took, how it ended.'
complete -c wload -o keep -d 'Nothing: there is no database; myscoop sweep --results has one.'
complete -c wload -o verbose -d 'Nothing: all is said.'
