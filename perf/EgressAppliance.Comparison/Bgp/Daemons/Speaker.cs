using System.Diagnostics;
using EgressAppliance.Comparison.Bgp.Lab;
using EgressAppliance.Comparison.Running;

namespace EgressAppliance.Comparison.Bgp.Daemons;

/// <summary>A BGP speaker that takes a table in: the appliance's own or another daemon, running in a lab of its own.</summary>
internal abstract class Speaker : IDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan StandStill = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(30);
    private Process? _process;

    /// <summary>The lab.</summary>
    protected BgpLab Lab { get; } = new();

    /// <summary>What the process uses.</summary>
    public ProcessMeter Meter { get; private set; } = null!;

    /// <summary>How long to wait between two looks at the number of routes: asking must cost the daemon next to nothing.</summary>
    protected virtual TimeSpan Interval => TimeSpan.FromMilliseconds(100);

    /// <summary>Opens a session from a router.</summary>
    public Peer.ScriptedPeer Connect(int router, Peer.PeerIdentity identity) => Lab.Connect(router, identity);

    /// <summary>Routes of router 0 that it holds now, both families.</summary>
    public abstract long CountRoutes();

    /// <summary>Waits until it holds this many routes.</summary>
    /// <param name="routes">How many.</param>
    /// <param name="peer">The session they come by; null if it has been dropped.</param>
    /// <returns>How many it holds: others, if the number has long not changed.</returns>
    /// <exception cref="ComparisonException">The daemon or the session has ended, or it does not get there within half an hour.</exception>
    public virtual long WaitFor(long routes, Peer.ScriptedPeer? peer)
    {
        long start = Stopwatch.GetTimestamp();
        long changed = start;
        long last = -1;
        while (true)
        {
            long? now = TryCountRoutes();
            if (now == routes)
            {
                return routes;
            }

            // A daemon that is too busy to answer does not stand still.
            if (now != last)
            {
                (last, changed) = (now ?? -1, Stopwatch.GetTimestamp());
            }
            else if (Stopwatch.GetElapsedTime(changed) > StandStill)
            {
                return last;
            }

            if (peer?.Ended is { } ended)
            {
                throw new ComparisonException($"the session ended with {last} of {routes} routes: {ended}");
            }

            if (_process!.HasExited || Stopwatch.GetElapsedTime(start) > Patience)
            {
                throw new ComparisonException(_process.HasExited ? "the daemon has ended" : $"{last} of {routes} routes after {Patience.TotalMinutes:0} minutes");
            }

            Thread.Sleep(Interval);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Ends the process and removes the lab.</summary>
    protected virtual void Dispose(bool disposing)
    {
        if (_process is { HasExited: false } running)
        {
            running.Kill();
            running.WaitForExit();
        }

        _process?.Dispose();
        Lab.Dispose();
    }

    private long? TryCountRoutes()
    {
        try
        {
            return CountRoutes();
        }
        catch (ComparisonException)
        {
            return null;
        }
    }

    /// <summary>Starts the daemon. Its process is the one measured, so it must stay in the foreground.</summary>
    protected Process Run(IReadOnlyList<string> command, string processors = BgpLab.SpeakerProcessor, bool redirect = false)
    {
        _process = Lab.Start(command, processors, redirect);
        Meter = new ProcessMeter(_process.Id);
        return _process;
    }

    /// <summary>Writes a file into the lab's folder; returns its path.</summary>
    protected string Write(string name, string text)
    {
        string path = Path.Combine(Lab.Folder, name);
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>Waits until the daemon answers.</summary>
    /// <exception cref="ComparisonException">It does not within 20 s, or has ended.</exception>
    protected void WaitUntilReady()
    {
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                CountRoutes();
                return;
            }
            catch (ComparisonException) when (!_process!.HasExited && Stopwatch.GetElapsedTime(start) < StartTimeout)
            {
                Thread.Sleep(50);
            }
        }
    }
}
