using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Session;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;
using Microsoft.Extensions.Logging;

namespace EgressAppliance.Bgp.Speaker;

/// <summary>
/// The BGP speaker: sessions to the routers, the paths they send, and the overrides announced to them.
/// </summary>
/// <remarks>
/// <para>Tasks and locks:</para>
/// <code>
/// reader (one a connection) ──► PeerSession lock ──► Fsm ──► this speaker's lock ──► RibTable, OverrideTable ──► outbound queues
/// timers, listener          ──►      "
/// planner, HTTP (IBgpSpeaker) ─────────────────────────────►        "
/// </code>
/// <para>Locks are taken from left to right only. The speaker's lock is never held while waiting for anything, so a query costs at most one UPDATE's
/// work; when a session ends, its routes are taken out in pieces for the same reason. Events are raised with no lock held.</para>
/// <para>Safety is local: an override exists only as long as the Adj-RIB-In path it was made from, and the thread that reads the withdrawal of
/// that path also queues the withdrawal of the override. Without a heartbeat of the control loop nothing is announced and no
/// KEEPALIVE is sent, so the router's own hold timer ends what a frozen controller left behind; withdrawals still go out, since taking a
/// route back is always safe.</para>
/// </remarks>
public sealed partial class BgpSpeaker : IBgpSpeaker
{
    private static readonly TimeSpan AcceptPause = TimeSpan.FromSeconds(1);
    private readonly BgpSpeakerOptions _options;
    private readonly TimeProvider _time;
    private readonly TimeProvider _timers;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private readonly LockQueue _queue = new();
    private readonly PrefixTable? _ownPrefixes;
    private readonly RibTable _rib;
    private readonly RouteIntake[] _intakes;
    private readonly ITimer _lateFlush;
    private int _lateFlushArmed;
    private readonly OverrideTable _overrides;
    private readonly PeerTable[] _peers;
    private readonly PeerSession[] _sessions;
    private readonly UpdateBatch _batch = new();
    private readonly ConcurrentQueue<(IpPrefix Prefix, string Reason)> _lost = new();
    private readonly List<Socket> _listeners = [];
    private readonly List<Task> _accepting = [];
    private readonly CancellationTokenSource _stop = new();
    private long _lastHeartbeat;
    private volatile bool _frozenTold;
    private bool _resendOnThaw;
    private int _disposed;

    /// <summary>A speaker at rest; <see cref="StartAsync"/> sets it going.</summary>
    /// <param name="options">Who we are and whom we speak to.</param>
    /// <param name="listener">Told of changes to prefixes and paths, or null.</param>
    /// <param name="timeProvider">The clock of timers and waits.</param>
    /// <param name="loggerFactory">Takes what is worth telling.</param>
    /// <param name="prefixes">
    /// The table of prefixes to keep up, which the data path looks up in; the speaker is its only writer but for <see cref="PrefixTable.Tick"/>. Null: one of the speaker's own.
    /// </param>
    /// <exception cref="ArgumentException">The options contradict themselves or the protocol.</exception>
    public BgpSpeaker(
        BgpSpeakerOptions options, IRibListener? listener, TimeProvider timeProvider, ILoggerFactory loggerFactory, PrefixTable? prefixes = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(timeProvider);
        ArgumentNullException.ThrowIfNull(loggerFactory);
        SpeakerOptionsValidator.ThrowIfInvalid(options);
        _options = options;
        _time = timeProvider;
        _timers = SessionTimers.For(timeProvider);
        _logger = loggerFactory.CreateLogger<BgpSpeaker>();
        _ownPrefixes = prefixes is null ? new PrefixTable() : null;
        _rib = new RibTable(options.Peers.Count, prefixes ?? _ownPrefixes!);
        _intakes = [.. options.Peers.Select((_, i) => new RouteIntake(_rib, i, _gate, _queue, (slice, tooLong, added) => Applied(i, slice, tooLong, added)))];
        _overrides = new OverrideTable(options, LeastLocalPref);
        _monitored = [.. options.Peers.Select(_ => new MonitoredRouter())];
        Monitor = new Monitoring(this);
        _peers = new PeerTable[options.Peers.Count];
        _sessions = new PeerSession[options.Peers.Count];
        _lastHeartbeat = timeProvider.GetTimestamp();
        // The clock that octets arrive by, not the one that the protocol's timers are given.
        _lateFlush = TimeProvider.System.CreateTimer(_ => FlushLate(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        var owner = new Owner(this);
        for (int i = 0; i < _peers.Length; i++)
        {
            _peers[i] = new PeerTable(timeProvider, options, options.Peers[i]);
            _sessions[i] = new PeerSession(i, options.Peers[i], options.RouterId, owner, timeProvider, _timers, _logger);
        }

        if (listener is not null)
        {
            _rib.Attach(listener);
        }
    }

    /// <inheritdoc/>
    public event Action<IpPrefix, string>? OverrideLost;

    /// <summary>The endpoints listened on, with the ports that the system chose where port 0 was asked for.</summary>
    public IReadOnlyList<IPEndPoint> ListeningOn { get; private set; } = [];

    /// <summary>The table of paths, to be looked at while nothing changes it.</summary>
    internal RibTable Rib => _rib;

    private bool IsFrozen => IsFrozenSince(Interlocked.Read(ref _lastHeartbeat));

    private bool MayAnnounce => _options.MayAnnounce?.Invoke() ?? true;

    /// <inheritdoc/>
    /// <exception cref="IOException">An endpoint cannot be listened on.</exception>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Interlocked.Exchange(ref _lastHeartbeat, _time.GetTimestamp());
        var bound = new List<IPEndPoint>();
        foreach (IPEndPoint endpoint in _options.Listen)
        {
            try
            {
                Socket socket = BgpSockets.CreateListener(endpoint, _options.Peers);
                _listeners.Add(socket);
                bound.Add((IPEndPoint)socket.LocalEndPoint!);
                SpeakerLog.Listening(_logger, bound[^1].ToString());
            }
            catch (SocketException e)
            {
                throw new IOException($"BGP cannot listen on {endpoint}: {e.Message}", e);
            }
        }

        ListeningOn = bound;
        foreach (PeerSession session in _sessions)
        {
            session.Start();
        }

        foreach (Socket listener in _listeners)
        {
            _accepting.Add(Task.Run(() => AcceptAsync(listener), CancellationToken.None));
        }

        return Task.CompletedTask;
    }

    /// <summary>Adds a listener to the table of prefixes and tells it of every prefix that is there.</summary>
    public void Attach(IRibListener listener)
    {
        ArgumentNullException.ThrowIfNull(listener);
        lock (_gate)
        {
            _rib.Attach(listener);
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<RibPath> GetPaths(IpPrefix prefix)
    {
        var paths = new List<RibPath>();
        lock (_gate)
        {
            _rib.CopyPaths(prefix, paths);
            if (_bySource.Count > 0)
            {
                // Rare, and it needs the lock: who shows what, and what the routers themselves prefer.
                OrderAsRouters(prefix, paths);
                return paths;
            }
        }

        BestPath.Order(paths);
        return paths;
    }

    /// <inheritdoc/>
    public void Heartbeat()
    {
        // Judged by the former heartbeat after the new one counts: whoever found the loop silent until then, and left announcements to us, is seen here.
        bool wasFrozen = IsFrozenSince(Interlocked.Exchange(ref _lastHeartbeat, _time.GetTimestamp()));
        if (!wasFrozen && !_frozenTold)
        {
            return;
        }

        SpeakerLog.Thawed(_logger);
        _frozenTold = false;
        lock (_gate)
        {
            if (_resendOnThaw)
            {
                _resendOnThaw = false;
                Resend(null, null);
            }
        }

        foreach (PeerSession session in _sessions)
        {
            session.SendKeepalive();
            session.Hurry();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        WithdrawAll();
        await _stop.CancelAsync().ConfigureAwait(false);
        foreach (Socket listener in _listeners)
        {
            listener.Dispose();
        }

        await Task.WhenAll(_accepting).ConfigureAwait(false);
        // All at once: each may have to wait for its router to read the reason and close.
        await Task.WhenAll(_sessions.Select(session => session.StopAsync(_options.ShutdownText).AsTask())).ConfigureAwait(false);

        await _lateFlush.DisposeAsync().ConfigureAwait(false);
        _pump?.Dispose();
        (_timers as IDisposable)?.Dispose();
        _stop.Dispose();
        _ownPrefixes?.Dispose();
    }

    private bool IsFrozenSince(long heartbeat) =>
        _options.HeartbeatTimeout > TimeSpan.Zero && _time.GetElapsedTime(heartbeat) > _options.HeartbeatTimeout;

    private async Task AcceptAsync(Socket listener)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                Socket socket = await listener.AcceptAsync(_stop.Token).ConfigureAwait(false);
                Dispatch(socket);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException && _stop.IsCancellationRequested)
            {
                return;
            }
            catch (SocketException e)
            {
                // Out of descriptors as a rule: trying at once would only spin. The wait ends with us, or stopping would have to wait for it.
                SessionLog.AcceptFailed(_logger, listener.LocalEndPoint?.ToString() ?? "", e.Message);
                await Task.Delay(AcceptPause, _time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private void Dispatch(Socket socket)
    {
        IPAddress remote = ((IPEndPoint)socket.RemoteEndPoint!).Address;
        IpAddr address = IpAddr.From(remote);
        int found = -1;
        for (int i = 0; i < _sessions.Length; i++)
        {
            // Several routers behind one address is a lab's arrangement: the first that is not established gets it.
            if (IpAddr.From(_options.Peers[i].RemoteAddress) == address && (found < 0 || _sessions[found].Snapshot.State == SessionState.Established))
            {
                found = i;
            }
        }

        if (found < 0)
        {
            SessionLog.UnknownPeer(_logger, remote.ToString());
            socket.Dispose();
            return;
        }

        try
        {
            BgpSockets.ApplyTtl(socket, _options.Peers[found]);
            BgpSockets.ApplyTimeout(socket, _options.Peers[found]);
        }
        catch (SocketException e)
        {
            SessionLog.Refused(_logger, _options.Peers[found].Name, e.Message);
            socket.Dispose();
            return;
        }

        _sessions[found].Accept(socket);
    }
}
