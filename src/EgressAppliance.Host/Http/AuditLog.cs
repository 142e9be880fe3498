using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace EgressAppliance.Host.Http;

/// <summary>
/// Who changed what, and when: a line of JSON for each request that would change something, in a file that is only appended to, and the latest
/// in memory for the page.
/// </summary>
/// <remarks>
/// Writing never holds up the request: the red button works on a full or hung disk. What could not be written is tried again every ten
/// seconds and with the next entry, the oldest first, as long as memory holds it (<see cref="Kept"/> entries); what is lost is counted. The file is bounded: at
/// <see cref="LargestBytes"/> it becomes <c>….1</c>, in place of the one before.
/// </remarks>
public sealed partial class AuditLog : IAsyncDisposable
{
    /// <summary>Entries in memory.</summary>
    public const int Kept = 1000;

    /// <summary>Size of the file at which the next one begins, octets.</summary>
    public const long LargestBytes = 8L << 20;

    // A text of a request that goes into an entry. Names of links are shorter; what is longer is no name.
    private const int LongestText = 256;

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan StopWithin = TimeSpan.FromSeconds(2);

    private readonly string _path;
    private readonly TimeProvider _time;
    private readonly ILogger<AuditLog> _logger;
    private readonly Lock _gate = new();
    private readonly Queue<AuditEntryDto> _latest = new();
    private readonly Channel<AuditEntryDto> _waiting;
    private readonly Task _writing;
    private long _lost;
    private long _entries;
    private volatile string _problem = "";

    /// <summary>Reads what is there and is ready to go on.</summary>
    /// <param name="path">The file; empty for memory only.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Where to log: each entry, and trouble with the file.</param>
    public AuditLog(string path, TimeProvider time, ILogger<AuditLog> logger)
    {
        _path = path;
        _time = time;
        _logger = logger;
        _waiting = Channel.CreateBounded<AuditEntryDto>(
            new BoundedChannelOptions(Kept) { SingleReader = true, FullMode = BoundedChannelFullMode.DropOldest }, _ => Interlocked.Increment(ref _lost));
        foreach (AuditEntryDto entry in ReadBack(path))
        {
            Remember(entry);
        }

        _writing = path.Length == 0 ? Task.CompletedTask : Task.Run(WriteAllAsync);
    }

    /// <summary>Why the file cannot be written at the moment, or empty.</summary>
    public string Problem => _problem;

    /// <summary>Requests noted since start.</summary>
    public long Entries => Interlocked.Read(ref _entries);

    /// <summary>Entries that never came to the file.</summary>
    public long Lost => Interlocked.Read(ref _lost);

    /// <summary>Notes a request.</summary>
    public void Add(string who, string via, string action, string detail, string outcome)
    {
        AuditEntryDto entry = new(_time.GetUtcNow(), who, via, action, Short(detail), Short(outcome));
        lock (_gate)
        {
            Remember(entry);
        }

        Interlocked.Increment(ref _entries);
        Noted(_logger, entry.Who, entry.Via, entry.Action, entry.Detail, entry.Outcome);
        if (_path.Length > 0)
        {
            _waiting.Writer.TryWrite(entry);
        }
    }

    /// <summary>At most <paramref name="limit"/>, newest first.</summary>
    public IReadOnlyList<AuditEntryDto> Latest(int limit)
    {
        lock (_gate)
        {
            return [.. _latest.Reverse().Take(limit)];
        }
    }

    /// <summary>Writes what is waiting, for two seconds at most.</summary>
    public async ValueTask DisposeAsync()
    {
        _waiting.Writer.TryComplete();
        try
        {
            await _writing.WaitAsync(StopWithin);
        }
        catch (TimeoutException)
        {
            StoppedLate(_logger, _path);
        }
    }

    /// <summary>What a request says, cut and on one line: it goes to a terminal and into a log.</summary>
    private static string Short(string text)
    {
        string cut = text.Length > LongestText ? text[..LongestText] + "…" : text;
        return string.Concat(cut.Select(c => char.IsControl(c) ? '?' : c));
    }

    private void Remember(AuditEntryDto entry)
    {
        if (_latest.Count == Kept)
        {
            _latest.Dequeue();
        }

        _latest.Enqueue(entry);
    }

    private async Task WriteAllAsync()
    {
        List<AuditEntryDto> batch = [];
        while (await WaitAsync(retry: batch.Count > 0))
        {
            while (batch.Count < Kept && _waiting.Reader.TryRead(out AuditEntryDto? entry))
            {
                batch.Add(entry);
            }

            if (TryAppend(batch))
            {
                batch.Clear();
            }
            else if (batch.Count == Kept)
            {
                // No room for more: the oldest go, as they would in the queue.
                Interlocked.Increment(ref _lost);
                batch.RemoveAt(0);
            }
        }

        if (batch.Count > 0 && !TryAppend(batch))
        {
            Interlocked.Add(ref _lost, batch.Count);
        }
    }

    /// <summary>Waits for an entry, or until it is time to try again. False when there will be none.</summary>
    private async Task<bool> WaitAsync(bool retry)
    {
        if (!retry)
        {
            return await _waiting.Reader.WaitToReadAsync();
        }

        using CancellationTokenSource enough = new(RetryAfter, _time);
        try
        {
            return await _waiting.Reader.WaitToReadAsync(enough.Token);
        }
        catch (OperationCanceledException)
        {
            return true;
        }
    }

    private bool TryAppend(List<AuditEntryDto> batch)
    {
        StringBuilder lines = new();
        foreach (AuditEntryDto entry in batch)
        {
            lines.Append(JsonSerializer.Serialize(entry, ApiJson.Default.AuditEntryDto)).Append('\n');
        }

        byte[] bytes = Encoding.UTF8.GetBytes(lines.ToString());
        long before = -1;
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
            if (File.Exists(_path) && new FileInfo(_path).Length > LargestBytes)
            {
                File.Move(_path, _path + ".1", overwrite: true);
            }

            using FileStream file = new(_path, new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.Write,
                Share = FileShare.Read,
                UnixCreateMode = OperatingSystem.IsWindows() ? null : UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead,
            });
            before = file.Length;
            file.Seek(0, SeekOrigin.End);
            file.Write(bytes);
            file.Flush(flushToDisk: true);
            if (_problem.Length > 0)
            {
                _problem = "";
                Resumed(_logger, _path);
            }

            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Undo(before);
            if (_problem.Length == 0)
            {
                Failed(_logger, _path, e.Message);
            }

            _problem = $"The audit log cannot be written: {e.Message}";
            return false;
        }
    }

    /// <summary>Cuts off what a full disk took of a batch, which is written again as a whole.</summary>
    private void Undo(long length)
    {
        if (length < 0)
        {
            return;
        }

        try
        {
            using FileStream file = new(_path, FileMode.Open, FileAccess.Write, FileShare.Read);
            file.SetLength(length);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Then a line may stand there twice, or in part; the reader passes over what it cannot read.
            Failed(_logger, _path, e.Message);
        }
    }

    private Queue<AuditEntryDto> ReadBack(string path)
    {
        Queue<AuditEntryDto> read = new();
        foreach (string file in path.Length == 0 ? [] : new[] { path + ".1", path }.Where(File.Exists))
        {
            try
            {
                foreach (string line in File.ReadLines(file))
                {
                    if (Parse(line) is { } entry)
                    {
                        if (read.Count == Kept)
                        {
                            read.Dequeue();
                        }

                        read.Enqueue(entry);
                    }
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Failed(_logger, file, e.Message);
            }
        }

        return read;
    }

    private static AuditEntryDto? Parse(string line)
    {
        try
        {
            AuditEntryDto? entry = JsonSerializer.Deserialize(line, ApiJson.Default.AuditEntryDto);
            return entry is { Who: not null, Via: not null, Action: not null, Detail: not null, Outcome: not null } ? entry : null;
        }
        catch (JsonException)
        {
            // Cut off by a crash, or edited by hand.
            return null;
        }
    }

    [LoggerMessage(5100, LogLevel.Information, "{Who} ({Via}): {Action} {Detail}: {Outcome}")]
    private static partial void Noted(ILogger logger, string who, string via, string action, string detail, string outcome);

    [LoggerMessage(5101, LogLevel.Error, "{Path}: the audit log cannot be used: {Why}. Entries are kept in memory and written when it can.")]
    private static partial void Failed(ILogger logger, string path, string why);

    [LoggerMessage(5102, LogLevel.Information, "{Path}: the audit log is written again.")]
    private static partial void Resumed(ILogger logger, string path);

    [LoggerMessage(5103, LogLevel.Warning, "{Path}: the latest entries of the audit log did not come to the disk in time.")]
    private static partial void StoppedLate(ILogger logger, string path);
}
