using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Network;

/// <summary>
/// Paced UDP to port 9 from the content servers. One thread of its own lives in their namespace; rates may change at any time.
/// </summary>
internal sealed class TrafficGenerator : IDisposable
{
    /// <summary>UDP payload of datagrams unless told otherwise; with headers it stays below the MTU.</summary>
    public const int PayloadBytes = 1200;

    private const int DiscardPort = 9;
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(2);

    // After a stall the backlog is sent at once, up to this much; more would be a burst that no test asked for.
    private static readonly TimeSpan LongestBacklog = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<IPAddress, Flow> _flows = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Thread _thread;
    private Flow[] _active = [];

    private TrafficGenerator(string namespacePath)
    {
        _thread = new Thread(() => Run(namespacePath)) { IsBackground = true, Name = "lab traffic" };
        _thread.Start();
    }

    /// <summary>Why it stopped sending, or null.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Starts it in a namespace, with no flows.</summary>
    public static async Task<TrafficGenerator> StartAsync(NetNamespace content)
    {
        var created = new TrafficGenerator(content.Path);
        await created._started.Task;
        return created;
    }

    /// <summary>Sends to a prefix at a rate from now on; 0 stops it.</summary>
    /// <param name="prefix">To its target.</param>
    /// <param name="bitsPerSecond">IP bits with the layer-2 overhead that the appliance adds, so that link loads are plain sums.</param>
    /// <param name="payloadBytes">UDP payload of each datagram, at most <see cref="PayloadBytes"/>.</param>
    public void SetRate(LabPrefix prefix, long bitsPerSecond, int payloadBytes = PayloadBytes)
    {
        lock (_gate)
        {
            if (!_flows.TryGetValue(prefix.Target, out Flow? flow))
            {
                // Flows start out of phase, or equal ones would all send in the same instant.
                flow = new Flow(prefix.Target) { Credit = _flows.Count % 8 / 8.0 };
                _flows.Add(prefix.Target, flow);
                _active = [.. _flows.Values];
            }

            flow.PayloadBytes = payloadBytes;
            flow.PacketsPerSecond = bitsPerSecond / (8.0 * WireBytes(prefix, payloadBytes));
        }
    }

    /// <summary>Stops every flow.</summary>
    public void Quiet()
    {
        lock (_gate)
        {
            foreach (Flow flow in _active)
            {
                flow.PacketsPerSecond = 0;
            }
        }
    }

    /// <summary>Datagrams sent to a prefix so far.</summary>
    public long Sent(LabPrefix prefix)
    {
        lock (_gate)
        {
            return _flows.TryGetValue(prefix.Target, out Flow? flow) ? Interlocked.Read(ref flow.Sent) : 0;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Cancel();
        _thread.Join();
        _stop.Dispose();
    }

    private static int WireBytes(LabPrefix prefix, int payloadBytes) => payloadBytes + 8 + (prefix.IsIpv6 ? 40 : 20) + GroundTruth.OverheadBytes;

    private void Run(string namespacePath)
    {
        try
        {
            NativeMethods.EnterNetworkNamespace(namespacePath);
            NativeMethods.RaisePriority();
            using var socket4 = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            using var socket6 = new Socket(AddressFamily.InterNetworkV6, SocketType.Dgram, ProtocolType.Udp);
            _started.SetResult();
            SendUntilStopped(socket4, socket6);
        }
        catch (Exception e) when (e is InvalidOperationException or IOException or SocketException)
        {
            Failure = e;
            _started.TrySetException(e);
        }
    }

    private void SendUntilStopped(Socket socket4, Socket socket6)
    {
        byte[] payload = new byte[PayloadBytes];
        long last = Stopwatch.GetTimestamp();
        while (!_stop.Token.WaitHandle.WaitOne(Tick))
        {
            long now = Stopwatch.GetTimestamp();
            double seconds = Math.Min(Stopwatch.GetElapsedTime(last, now).TotalSeconds, LongestBacklog.TotalSeconds);
            last = now;
            foreach (Flow flow in Volatile.Read(ref _active))
            {
                flow.Credit += flow.PacketsPerSecond * seconds;
                Socket socket = flow.Target.AddressFamily == AddressFamily.InterNetworkV6 ? socket6 : socket4;
                for (; flow.Credit >= 1; flow.Credit--)
                {
                    socket.SendTo(payload.AsSpan(0, flow.PayloadBytes), SocketFlags.None, flow.Address);
                    Interlocked.Increment(ref flow.Sent);
                }
            }
        }
    }

    private sealed class Flow(IPAddress target)
    {
        public long Sent;

        public IPAddress Target { get; } = target;

        public SocketAddress Address { get; } = new IPEndPoint(target, DiscardPort).Serialize();

        public double PacketsPerSecond { get; set; }

        public int PayloadBytes { get; set; }

        public double Credit { get; set; }
    }
}
