export interface PostgresOptions {
  /**
   * `postgres://user@host/database`; what it leaves out comes from PGHOST, PGPASSWORD, a .pgpass file and so on. Across a network
   * say `sslmode=verify-full`.
   */
  readonly connectionString: string
}
