extension CommandLineOptions {
    static let usage = """
        Usage: UserService [options] <file | ->
               UserService [options] --storage postgresql --member <name> [-]

        Reads commands as JSON Lines from a file, or from standard input (-), and shows what becomes of them.
        A blank line, and a line that begins with #, means nothing. A line with an error is reported, the rest goes on.

        With --member it reads no commands: it helps others that share the database with analytics and bills, until
        SIGTERM or, where - is given, until standard input ends.

        Commands:
          {"command":"AddUser","name":"…","email":"…"}                also "id", "about"
          {"command":"RemoveUser","user":"…"}                         also "reason"
          {"command":"InviteUser","email":"…","invitedBy":"…"}        also "id", "credit", "seats"
          {"command":"AcceptInvitation","invitation":"…","name":"…"}
          {"command":"DeclineInvitation","invitation":"…"}            also "reason"

        Options:
          --storage <kind>        where events are kept: sqlite (the default), postgresql or memory
          --data-dir <folder>     the folder of the SQLite file; .data by default
          --members <number>      how many members of the analytics group this process has; 3 by default, at most 32
          --member <name>         be a member of that name, and nothing else
          --lease <seconds>       after how long a silence others take over a process's work; 30 by default
          --unread-timeout <s>    after how many seconds unread an admin is reminded, and after as many more a
                                  notification is given up; 86400 by default, which are 24 hours
          --grpc-port <port>      serve other processes of this machine over gRPC, until SIGTERM, also when the input has
                                  ended; they find the subscription "user-analytics"
          --json                  write JSON Lines instead of text
          --max-payload <bytes>   the largest event; 1000000 by default
          --max-line <bytes>      the longest line; 20000000 by default
          --timeout <seconds>     at the end, how long to wait for consumers that make no progress; 30 by default
          --help                  show this

        Environment:
          DATABASE_URL            the PostgreSQL server: postgresql://user:password@host:port/database
          LOG_LEVEL               trace, debug, info, notice, warning (the default), error or critical

        Exit codes: 0 nothing was lost, nor charged twice; 1 the input cannot be read; 2 wrong usage; 3 something was
        lost, charged twice or out of order; 4 the service failed.
        """
}
