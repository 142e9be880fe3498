using System.Net.Sockets;
using Npgsql;

namespace EgressAppliance.Cluster.Store;

/// <summary>
/// The database that the controllers of a site have in common. Every request ends within seconds, whatever the server does; a connection on which one hung is given up.
/// </summary>
public sealed class SiteDatabase : IAsyncDisposable
{
    /// <summary>Version of the tables.</summary>
    public const int SchemaVersion = 1;

    /// <summary>For one request.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    // Any number that nobody else is likely to lock with.
    private const long SchemaLock = 0x65677265_73730001;
    private readonly NpgsqlDataSource _source;
    private readonly SemaphoreSlim _preparing = new(1, 1);
    private volatile bool _prepared;

    /// <summary>A database that nothing was asked of yet.</summary>
    /// <param name="connection">Connection string of Npgsql; several hosts may be named, of which the one that takes writes is used.</param>
    /// <exception cref="ArgumentException">It is none. The message does not quote it.</exception>
    public SiteDatabase(string connection)
    {
        NpgsqlConnectionStringBuilder builder;
        try
        {
            builder = new NpgsqlConnectionStringBuilder(connection);
        }
        catch (Exception e) when (e is ArgumentException or FormatException or InvalidCastException or KeyNotFoundException)
        {
            // The exception may quote what it could not read, and with it the password.
            throw new ArgumentException("It is no connection string; write it like Host=db1,db2;Database=egress;Username=egress;Password=…", nameof(connection));
        }

        int seconds = (int)Patience.TotalSeconds;
        builder.Timeout = seconds;
        builder.CommandTimeout = seconds;
        builder.CancellationTimeout = 500;
        builder.MaxPoolSize = 8;
        builder.ApplicationName = "egress-appliance";

        // What is confirmed must still be there after a crash of the server: a lease that is forgotten is one that two have.
        builder.Options = string.Join(' ', new[] { builder.Options, "-c synchronous_commit=on" }.Where(o => !string.IsNullOrEmpty(o)));
        NpgsqlDataSourceBuilder sources = new(builder.ConnectionString);
        _source = builder.Host?.Contains(',', StringComparison.Ordinal) == true
            ? sources.BuildMultiHost().WithTargetSession(TargetSessionAttributes.Primary) : sources.Build();
    }

    /// <summary>A connection, the tables being there.</summary>
    /// <exception cref="SiteDatabaseException">There is none, in words that hold no secret.</exception>
    public async Task<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        NpgsqlConnection open = await _source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await PrepareAsync(open, cancellationToken).ConfigureAwait(false);
            return open;
        }
        catch
        {
            await open.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>A failure of a request as an exception whose message is for the operator.</summary>
    public static SiteDatabaseException Wrap(Exception e) => e as SiteDatabaseException ?? new SiteDatabaseException(Words(e), e);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _preparing.Dispose();
        await _source.DisposeAsync().ConfigureAwait(false);
    }

    private static string Words(Exception e) => e switch
    {
        PostgresException { SqlState: "28P01" or "28000" } => "the server refuses user or password: check the file of cluster.database_file",
        PostgresException { SqlState: "3D000" } p => $"{p.MessageText}: create the database",
        PostgresException { SqlState: "42501" } p => $"{p.MessageText}: grant the user CREATE on the schema",
        PostgresException p => $"{p.SqlState}: {p.MessageText}",
        _ => e.InnerException is SocketException socket ? socket.Message
            : e is TimeoutException or OperationCanceledException || e.InnerException is TimeoutException ? "no answer in time"
            : e.Message,
    };

    private async Task PrepareAsync(NpgsqlConnection open, CancellationToken cancellationToken)
    {
        if (_prepared)
        {
            return;
        }

        await _preparing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_prepared)
            {
                return;
            }

            await using NpgsqlTransaction transaction = await open.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
            await ExecuteAsync($"SELECT pg_advisory_xact_lock({SchemaLock})").ConfigureAwait(false);
            await ExecuteAsync("CREATE TABLE IF NOT EXISTS egress_schema(version integer NOT NULL)").ConfigureAwait(false);
            await using (NpgsqlCommand read = new("SELECT coalesce(max(version), 0) FROM egress_schema", open))
            {
                int version = (int)(await read.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
                if (version > SchemaVersion)
                {
                    throw new SiteDatabaseException($"its tables are of version {version}, and this program knows {SchemaVersion}: upgrade this box");
                }

                if (version == 0)
                {
                    await ExecuteAsync(SiteSchema.Tables).ConfigureAwait(false);
                    await ExecuteAsync($"INSERT INTO egress_schema VALUES ({SchemaVersion})").ConfigureAwait(false);
                }
            }

            await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
            _prepared = true;
        }
        finally
        {
            _preparing.Release();
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

/// <summary>The database of the site refused or did not answer; the message is for the operator and holds no secret.</summary>
public sealed class SiteDatabaseException : Exception
{
    /// <summary>Makes one without a message.</summary>
    public SiteDatabaseException()
    {
    }

    /// <summary>Makes one.</summary>
    public SiteDatabaseException(string message)
        : base(message)
    {
    }

    /// <summary>Makes one.</summary>
    public SiteDatabaseException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
