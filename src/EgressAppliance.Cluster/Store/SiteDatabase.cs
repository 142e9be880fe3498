using System.Net.Sockets;
using System.Security.Authentication;
using Npgsql;

namespace EgressAppliance.Cluster.Store;

/// <summary>
/// The database that the controllers of a site have in common. Every request ends within seconds, whatever the server does; a connection on which one hung is given up.
/// </summary>
public sealed class SiteDatabase : IAsyncDisposable
{
    /// <summary>For one request, and for one of several hosts to answer.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan HostPatience = TimeSpan.FromSeconds(1);
    private readonly NpgsqlDataSource _shared;
    private readonly NpgsqlDataSource _single;
    private readonly SemaphoreSlim _preparing = new(1, 1);
    private volatile bool _prepared;

    /// <summary>A database that nothing was asked of yet.</summary>
    /// <param name="connection">
    /// Connection string of Npgsql; several hosts may be named, of which the one that takes writes is used. TLS as it says: <c>SSL Mode=VerifyFull;Root Certificate=…</c>.
    /// </param>
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

        if (string.IsNullOrWhiteSpace(builder.Host))
        {
            throw new ArgumentException("It names no server; write it like Host=db1,db2;Database=egress;Username=egress;Password=…", nameof(connection));
        }

        builder.Timeout = (int)HostPatience.TotalSeconds;
        builder.CommandTimeout = (int)Patience.TotalSeconds;

        // A server that hangs does not answer a request to cancel either; the connection is broken at once.
        builder.CancellationTimeout = -1;
        builder.MaxPoolSize = 8;
        builder.ApplicationName = "egress-appliance";
        builder.IncludeErrorDetail = false;

        // A host that was down is asked again at once: there may be no other.
        builder.HostRecheckSeconds = 0;

        // What is confirmed must still be there after a crash of the server: a lease that is forgotten is one that two have. A statement that waits behind a lock, and a transaction whose box was stopped, end by
        // themselves: whoever gave them up has opened a new connection, and their number is limited.
        string[] settings =
        [
            "-c synchronous_commit=on", $"-c statement_timeout={Patience.TotalMilliseconds:0}", $"-c idle_in_transaction_session_timeout={2 * Patience.TotalMilliseconds:0}",
            "-c default_transaction_isolation=read\\ committed",
        ];
        builder.Options = string.Join(' ', settings.Prepend(builder.Options).Where(o => !string.IsNullOrEmpty(o)));
        _shared = Source(builder);
        builder.Pooling = false;
        _single = Source(builder);
    }

    /// <summary>A connection of the pool, the tables being there.</summary>
    /// <exception cref="SiteDatabaseException">There is none, in words that hold no secret.</exception>
    public Task<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken) => OpenAsync(_shared, _prepared, cancellationToken);

    /// <summary>A connection outside of the pool, the tables being there. It takes as long as it takes to try every host.</summary>
    /// <exception cref="SiteDatabaseException">There is none, in words that hold no secret.</exception>
    public Task<NpgsqlConnection> OpenOwnAsync() => OpenAsync(_single, prepared: false, CancellationToken.None);

    /// <summary>A failure of a request as an exception whose message is for the operator.</summary>
    public static SiteDatabaseException Wrap(Exception e) => e as SiteDatabaseException ?? new SiteDatabaseException(Words(e), e);

    /// <summary>Closes a connection on which something went wrong, whatever state it is in.</summary>
    internal static async Task CloseAsync(NpgsqlConnection connection)
    {
        try
        {
            await connection.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is NpgsqlException or InvalidOperationException or IOException or SocketException)
        {
            // It is gone; that is all that was wanted.
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _preparing.Dispose();
        await _shared.DisposeAsync().ConfigureAwait(false);
        await _single.DisposeAsync().ConfigureAwait(false);
    }

    private static NpgsqlDataSource Source(NpgsqlConnectionStringBuilder builder)
    {
        NpgsqlDataSourceBuilder sources = new(builder.ConnectionString);
        return builder.Host!.Contains(',', StringComparison.Ordinal) ? sources.BuildMultiHost().WithTargetSession(TargetSessionAttributes.Primary) : sources.Build();
    }

    private static string Words(Exception e) => e switch
    {
        PostgresException { SqlState: "28P01" or "28000" } => "the server refuses user or password: check the file of cluster.database_file",
        PostgresException { SqlState: "3D000" } p => $"{p.MessageText}: create the database",
        PostgresException { SqlState: "42501" } p => $"{p.MessageText}: grant the user CREATE on the schema",
        PostgresException { SqlState: "25006" } => "the server takes no writes: name the primary, or all servers, in Host of cluster.database_file",
        PostgresException { SqlState: "57014" } => "a statement took too long; something in the database holds a lock, or its disk hangs",
        PostgresException p => $"{p.SqlState}: {p.MessageText}",
        NpgsqlException { InnerException: AggregateException all } => string.Join("; ", all.InnerExceptions.Select(Words).Distinct()),
        _ when e is AuthenticationException || e.InnerException is AuthenticationException =>
            $"TLS fails: {(e.InnerException ?? e).Message} Check SSL Mode, Root Certificate and Host in the file of cluster.database_file",
        _ when e.InnerException is SocketException socket => socket.Message,
        _ when e is TimeoutException or OperationCanceledException || e.InnerException is TimeoutException => "no answer in time",
        _ => e.Message,
    };

    private async Task<NpgsqlConnection> OpenAsync(NpgsqlDataSource source, bool prepared, CancellationToken cancellationToken)
    {
        try
        {
            NpgsqlConnection open = await source.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                if (!prepared)
                {
                    await PrepareAsync(open, cancellationToken).ConfigureAwait(false);
                }

                return open;
            }
            catch
            {
                await CloseAsync(open).ConfigureAwait(false);
                throw;
            }
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or SocketException or IOException)
        {
            throw Wrap(e);
        }
    }

    private async Task PrepareAsync(NpgsqlConnection open, CancellationToken cancellationToken)
    {
        await _preparing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await SiteSchema.PrepareAsync(open, cancellationToken).ConfigureAwait(false);
            _prepared = true;
        }
        finally
        {
            _preparing.Release();
        }
    }
}
