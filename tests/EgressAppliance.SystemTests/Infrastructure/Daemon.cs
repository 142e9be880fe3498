using System.Collections.Concurrent;
using System.Diagnostics;

namespace EgressAppliance.SystemTests.Infrastructure;

/// <summary>
/// A long-running child process: its output goes to a log file, and it is ended by its process id alone.
/// </summary>
internal sealed class Daemon : IAsyncDisposable
{
    private static readonly TimeSpan KillLimit = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly StreamWriter _log;
    private readonly ConcurrentQueue<string> _lines = new();
    private readonly Task _readers;

    private Daemon(string name, Process process, string logPath)
    {
        Name = name;
        _process = process;
        _log = new StreamWriter(logPath, append: true) { AutoFlush = true };
        _readers = Task.WhenAll(CopyAsync(process.StandardOutput, ""), CopyAsync(process.StandardError, "! "));
    }

    /// <summary>Name in logs and messages.</summary>
    public string Name { get; }

    /// <summary>Its process id. <c>ip netns exec</c> replaces itself by the command, so this is the daemon's own.</summary>
    public int ProcessId => _process.Id;

    /// <summary>True once it has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>Everything it wrote so far, standard error marked by <c>! </c>.</summary>
    public IReadOnlyCollection<string> Lines => _lines;

    /// <summary>Starts a command whose output is collected in a log file of that name.</summary>
    public static Daemon Start(string name, string logFolder, IReadOnlyList<string> command, IReadOnlyDictionary<string, string>? environment = null)
    {
        ProcessStartInfo info = Shell.StartInfo(command);
        foreach ((string key, string value) in environment ?? new Dictionary<string, string>())
        {
            info.Environment[key] = value;
        }

        Process process = Process.Start(info) ?? throw new InvalidOperationException($"{name} did not start");
        return new Daemon(name, process, Path.Combine(logFolder, name + ".out"));
    }

    /// <summary>Sends a signal.</summary>
    public void Signal(PosixSignalNumber signal)
    {
        if (!_process.HasExited)
        {
            NativeMethods.Kill(_process.Id, signal);
        }
    }

    /// <summary>Waits for its end and returns the exit code.</summary>
    public async Task<int> WaitForExitAsync(TimeSpan limit)
    {
        using var timeout = new CancellationTokenSource(limit);
        try
        {
            await _process.WaitForExitAsync(timeout.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"{Name} did not end within {limit.TotalSeconds:F0} s");
        }

        await _readers;
        return _process.ExitCode;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync().WaitAsync(KillLimit);
        }

        await _readers.WaitAsync(KillLimit);
        await _log.DisposeAsync();
        _process.Dispose();
    }

    private async Task CopyAsync(StreamReader reader, string mark)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            _lines.Enqueue(mark + line);
            lock (_log)
            {
                _log.WriteLine(mark + line);
            }
        }
    }
}
