using EgressAppliance.Host.Http;
using Microsoft.Data.Sqlite;

namespace EgressAppliance.Host.History.Store;

/// <summary>
/// Answers questions beside the writer. Each has a connection of its own, sees the database as of one moment, and ends when its request does or after ten seconds; four are answered at a time.
/// Any thread.
/// </summary>
/// <param name="path">The database.</param>
/// <param name="time">The clock.</param>
public sealed class HistoryReader(string path, TimeProvider time) : IDisposable
{
    private const int MostAtOnce = 4;
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);
    private readonly SemaphoreSlim _turn = new(MostAtOnce);

    /// <summary>The clock, for what is asked without an end.</summary>
    public DateTimeOffset Now => time.GetUtcNow();

    /// <summary>Samples of links.</summary>
    /// <param name="link">One link, or null for all.</param>
    /// <param name="from">Begin.</param>
    /// <param name="to">End.</param>
    /// <param name="step">60, 300, 3600 or 86400, or null: chosen.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="HistoryQuestionException">It cannot be answered as it was put.</exception>
    /// <exception cref="HistoryException">The history cannot be read.</exception>
    public Task<HistoryLinksDto> LinksAsync(string? link, DateTimeOffset from, DateTimeOffset to, int? step, CancellationToken cancellationToken) =>
        AskAsync(c => HistoryQueries.Links(c, link, from, to, step), cancellationToken);

    /// <summary>The largest prefixes of a time, or one.</summary>
    /// <param name="prefix">One prefix, or null.</param>
    /// <param name="link">One link, or null.</param>
    /// <param name="from">Begin.</param>
    /// <param name="to">End.</param>
    /// <param name="top">How many.</param>
    /// <param name="step">60, 300, 3600 or 86400, or null: chosen.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="HistoryQuestionException">It cannot be answered as it was put.</exception>
    /// <exception cref="HistoryException">The history cannot be read.</exception>
    public Task<HistoryPrefixesDto> PrefixesAsync(
        string? prefix, string? link, DateTimeOffset from, DateTimeOffset to, int top, int? step, CancellationToken cancellationToken) =>
        AskAsync(c => HistoryQueries.Prefixes(c, prefix, link, from, to, top, step), cancellationToken);

    /// <summary>Events, newest first.</summary>
    /// <param name="kinds">Kinds; empty for all.</param>
    /// <param name="from">Begin.</param>
    /// <param name="to">End.</param>
    /// <param name="limit">How many.</param>
    /// <param name="cursor">Go on after this one, or null.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="HistoryException">The history cannot be read.</exception>
    public Task<HistoryEventsDto> EventsAsync(
        IReadOnlyList<EventKind> kinds, DateTimeOffset from, DateTimeOffset to, int limit, (long Time, long Id)? cursor, CancellationToken cancellationToken) =>
        AskAsync(c => HistoryQueries.Events(c, kinds, from, to, limit, cursor), cancellationToken);

    /// <summary>Billing months, newest first.</summary>
    /// <param name="link">One link, or null for all.</param>
    /// <param name="from">They begin at this time or later.</param>
    /// <param name="to">They begin before this time.</param>
    /// <param name="most">How many.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="HistoryException">The history cannot be read.</exception>
    public Task<IReadOnlyList<LinkMonth>> MonthsAsync(string? link, DateTimeOffset from, DateTimeOffset to, int most, CancellationToken cancellationToken) =>
        AskAsync(c => HistoryQueries.Months(c, link, from, to, most), cancellationToken);

    /// <summary>How many rows each table has, and of what time.</summary>
    /// <exception cref="HistoryException">The history cannot be read.</exception>
    public Task<IReadOnlyList<HistoryTableDto>> TablesAsync(CancellationToken cancellationToken) => AskAsync(HistoryQueries.Tables, cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _turn.Dispose();

    private async Task<T> AskAsync<T>(Func<SqliteConnection, T> ask, CancellationToken cancellationToken)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Longest);
        bool turn = false;
        try
        {
            await _turn.WaitAsync(limit.Token);
            turn = true;

            // SQLite has no asynchronous reads: a thread of the pool waits for the disk.
            return await Task.Run(() => Ask(ask, limit.Token), limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new HistoryException(
                turn ? $"the answer took more than {Longest.TotalSeconds} s; ask for a shorter time or a longer step" : "too many questions are being answered; ask again in a moment",
                HistoryFailure.Busy);
        }
        finally
        {
            if (turn)
            {
                _turn.Release();
            }
        }
    }

    private T Ask<T>(Func<SqliteConnection, T> ask, CancellationToken cancellationToken)
    {
        try
        {
            using SqliteConnection connection = HistoryDatabase.OpenForReading(path, pooled: true);
            using CancellationTokenRegistration interrupt = cancellationToken.Register(() => SQLitePCL.raw.sqlite3_interrupt(connection.Handle));
            connection.Execute("BEGIN");
            try
            {
                return ask(connection);
            }
            finally
            {
                connection.Execute("ROLLBACK");
            }
        }
        catch (SqliteException e) when (e.SqliteErrorCode == SQLitePCL.raw.SQLITE_INTERRUPT)
        {
            throw new OperationCanceledException(e.Message, e, cancellationToken);
        }
        catch (SqliteException e)
        {
            throw new HistoryException($"the history cannot be read: {e.Message}", HistoryDatabase.IsDamage(e) ? HistoryFailure.Damaged : HistoryFailure.Busy);
        }
    }
}
