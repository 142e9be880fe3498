using Npgsql;

namespace EgressAppliance.Cluster.Store;

/// <summary>
/// The tables of a site's database. <c>egress_lease</c>: who leads; one row a site. <c>egress_box</c>: what each controller last said of itself. <c>egress_controller</c>: the state that the leader
/// left after its latest cycle, with the token that it led by. <c>egress_journal</c>: every decision and command of all leaders, a day a partition.
/// <c>egress_stop</c>: orders to withdraw everything that wait for a leader.
/// </summary>
internal static class SiteSchema
{
    /// <summary>Version of the tables.</summary>
    public const int Version = 2;

    // Any number that nobody else is likely to lock with.
    private const long Lock = 0x65677265_73730001;

    /// <summary>Taken by whoever makes a partition of the journal.</summary>
    public const long PartitionLock = Lock + 1;

    /// <summary>What makes each version out of the one before.</summary>
    private static readonly string[] Steps =
    [
        """
        CREATE TABLE egress_lease(
          site text PRIMARY KEY, token bigint NOT NULL, renewals bigint NOT NULL, holder text NOT NULL, run uuid NOT NULL, released boolean NOT NULL, term_ms bigint NOT NULL,
          expires timestamptz NOT NULL, history text NOT NULL);
        CREATE TABLE egress_box(
          site text NOT NULL, box text NOT NULL, run uuid NOT NULL, role text NOT NULL, ready boolean NOT NULL, problem text NOT NULL, details text NOT NULL, number bigint NOT NULL,
          seen timestamptz NOT NULL, PRIMARY KEY (site, box));
        CREATE TABLE egress_controller(
          site text PRIMARY KEY, token bigint NOT NULL, cycle bigint NOT NULL, mode text NOT NULL, state text NOT NULL, saved timestamptz NOT NULL);
        CREATE TABLE egress_journal(
          site text NOT NULL, time timestamptz NOT NULL, token bigint NOT NULL, cycle bigint NOT NULL, box text NOT NULL, kind text NOT NULL, line text NOT NULL,
          PRIMARY KEY (site, time, token, cycle, kind)) PARTITION BY RANGE (time);
        """,
        """
        CREATE TABLE egress_stop(
          site text NOT NULL, box text NOT NULL, id uuid NOT NULL, asked timestamptz NOT NULL, PRIMARY KEY (site, box));
        """,
    ];

    /// <summary>Makes the tables where they are not there. Two boxes may do it at once.</summary>
    /// <exception cref="SiteDatabaseException">They are of a newer version than this program knows.</exception>
    public static async Task PrepareAsync(NpgsqlConnection open, CancellationToken cancellationToken)
    {
        // Without the lock as a rule: a box that was stopped while it had it would hold up all.
        if (await ReadVersionAsync().ConfigureAwait(false) == Version)
        {
            return;
        }

        await using NpgsqlTransaction transaction = await open.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await ExecuteAsync($"SELECT pg_advisory_xact_lock({Lock})").ConfigureAwait(false);
        await ExecuteAsync("CREATE TABLE IF NOT EXISTS egress_schema(version integer NOT NULL)").ConfigureAwait(false);
        for (int made = await ReadVersionAsync().ConfigureAwait(false); made < Version; made++)
        {
            await ExecuteAsync(Steps[made]).ConfigureAwait(false);
            await ExecuteAsync($"INSERT INTO egress_schema VALUES ({made + 1})").ConfigureAwait(false);
        }

        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);

        async Task<int> ReadVersionAsync()
        {
            await using NpgsqlCommand there = new("SELECT to_regclass('egress_schema') IS NOT NULL", open);
            if (await there.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is not true)
            {
                return 0;
            }

            await using NpgsqlCommand read = new("SELECT coalesce(max(version), 0) FROM egress_schema", open);
            int version = (int)(await read.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
            return version <= Version ? version : throw new SiteDatabaseException($"its tables are of version {version}, and this program knows {Version}: upgrade this box");
        }

        async Task ExecuteAsync(string sql)
        {
            // Constants of this program only.
#pragma warning disable CA2100
            await using NpgsqlCommand command = new(sql, open);
#pragma warning restore CA2100
            await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }
    }
}
