using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using EgressAppliance.Dataplane.Pipeline;
using EgressAppliance.Host.Config;
using EgressAppliance.Net;

namespace EgressAppliance.Host.Flow;

/// <summary>The UDP sockets of flow export: a thread for each, which gives every datagram to the <see cref="FlowCollector"/>.</summary>
public sealed class FlowReceiver : IAsyncDisposable
{
    // <sys/socket.h>, asm-generic; what .NET has no name for.
    private const int SolSocket = 1;
    private const int SoReceiveBufferForce = 33;
    private const int SoMemInfo = 55;

    // enum of <linux/sock_diag.h>: SK_MEMINFO_RCVBUF and SK_MEMINFO_DROPS.
    private const int MemInfoReceiveBuffer = 1;
    private const int MemInfoDrops = 8;
    private const int MemInfoVars = 9;

    private const int LargestDatagram = 65536;
    private static readonly TimeSpan StopCheck = TimeSpan.FromMilliseconds(500);

    private readonly Listener[] _listeners;
    private readonly FlowCollector _collector;
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _running;
    private volatile bool _stop;
    private bool _started;

    /// <summary>Opens the sockets. Datagrams wait in their buffers until <see cref="Start"/>.</summary>
    /// <param name="config">Where to listen.</param>
    /// <param name="collector">Takes the datagrams.</param>
    /// <exception cref="IOException">An address cannot be listened on.</exception>
    public FlowReceiver(FlowConfig config, FlowCollector collector)
    {
        ArgumentNullException.ThrowIfNull(config);
        _collector = collector;
        List<Listener> opened = [];
        try
        {
            foreach (IPEndPoint endPoint in config.Listen)
            {
                opened.Add(new Listener(endPoint, config.ReceiveBuffer));
            }
        }
        catch
        {
            opened.ForEach(l => l.Socket.Dispose());
            throw;
        }

        _listeners = [.. opened];
    }

    /// <summary>Ports that are listened on, in order of configuration.</summary>
    public IReadOnlyList<int> Ports => [.. _listeners.Select(l => ((IPEndPoint)l.Socket.LocalEndPoint!).Port)];

    /// <summary>Completes when all threads have ended; faults if one failed.</summary>
    public Task Completion => _completion.Task;

    /// <summary>Starts to read.</summary>
    public void Start()
    {
        _started = true;
        _running = _listeners.Length;
        foreach (Listener listener in _listeners)
        {
            new Thread(() => Run(listener)) { Name = $"flow {listener.EndPoint.Port}", IsBackground = true }.Start();
        }
    }

    /// <summary>The counters of the sockets. Any thread.</summary>
    public IReadOnlyList<ListenerReading> Read() => [.. _listeners.Select(l => l.Read())];

    /// <summary>The signs of life of the threads, which beat with every wait for a datagram. Any thread; takes no lock.</summary>
    public IReadOnlyList<ThreadPulse> ReadPulses() => [.. _listeners.Select(l => new ThreadPulse($"flow receiver {l.EndPoint}", Interlocked.Read(ref l.Beats), _stop))];

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _stop = true;
        if (_started)
        {
            // A failure is for whoever awaits Completion.
            await Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        Array.ForEach(_listeners, l => l.Dispose());
    }

    private void Run(Listener listener)
    {
        try
        {
            byte[] buffer = GC.AllocateUninitializedArray<byte>(LargestDatagram, pinned: true);
            SocketAddress from = new(listener.EndPoint.AddressFamily);
            while (!_stop)
            {
                Interlocked.Increment(ref listener.Beats);
                if (listener.TryReceive(buffer, from, out int length))
                {
                    _collector.Receive(AddressOf(from), PortOf(from), buffer.AsSpan(0, length));
                }
            }
        }
#pragma warning disable CA1031 // The thread's last resort: the failure goes to whoever awaits Completion.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _stop = true;
            _completion.TrySetException(e);
        }

        if (Interlocked.Decrement(ref _running) == 0)
        {
            _completion.TrySetResult();
        }
    }

    /// <summary>sin_addr or sin6_addr (ip(7), ipv6(7)).</summary>
    private static IpAddr AddressOf(SocketAddress from) => from.Family == AddressFamily.InterNetworkV6
        ? IpAddr.FromBytes(from.Buffer.Span.Slice(8, 16))
        : IpAddr.FromBytes(from.Buffer.Span.Slice(4, 4));

    private static ushort PortOf(SocketAddress from) => (ushort)(from.Buffer.Span[2] << 8 | from.Buffer.Span[3]);

    /// <summary>One socket.</summary>
    private sealed class Listener : IDisposable
    {
        /// <summary>How often the thread began to wait for a datagram.</summary>
        public long Beats;

        private readonly Lock _gate = new();
        private readonly int _asked;
        private long _datagrams;
        private long _dropped;
        private uint _dropsBefore;
        private long _receiveBuffer;
        private string? _message;
        private bool _disposed;

        public Listener(IPEndPoint endPoint, int receiveBuffer)
        {
            EndPoint = endPoint;
            _asked = receiveBuffer;
            Socket = new Socket(endPoint.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            try
            {
                if (endPoint.AddressFamily == AddressFamily.InterNetworkV6)
                {
                    // IPv4 has its own entries in the configuration.
                    Socket.DualMode = false;
                }

                Socket.ReceiveTimeout = (int)StopCheck.TotalMilliseconds;
                SetReceiveBuffer(receiveBuffer);
                Socket.Bind(endPoint);
            }
            catch (SocketException e)
            {
                Socket.Dispose();
                throw new IOException($"flow export cannot be listened for on {endPoint}/udp: {e.Message}", e);
            }

            ReadMemInfo();
        }

        public IPEndPoint EndPoint { get; }

        public Socket Socket { get; }

        public bool TryReceive(byte[] buffer, SocketAddress from, out int length)
        {
            length = 0;
            try
            {
                length = Socket.ReceiveFrom(buffer, SocketFlags.None, from);
                Interlocked.Increment(ref _datagrams);
                if (_message is not null)
                {
                    _message = null;
                }

                return true;
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.TimedOut or SocketError.WouldBlock or SocketError.Interrupted)
            {
                return false;
            }
            catch (SocketException e)
            {
                // Such as an interface that goes; the socket stays. It must not be asked again at once.
                _message = e.Message;
                Socket.Poll(StopCheck, SelectMode.SelectError);
                return false;
            }
        }

        public ListenerReading Read()
        {
            lock (_gate)
            {
                if (!_disposed)
                {
                    ReadMemInfo();
                }

                return new ListenerReading(EndPoint.ToString(), Interlocked.Read(ref _datagrams), _dropped, _receiveBuffer, _asked, _message);
            }
        }

        public void Dispose()
        {
            lock (_gate)
            {
                _disposed = true;
                Socket.Dispose();
            }
        }

        /// <summary>Beyond net.core.rmem_max only with CAP_NET_ADMIN (socket(7), SO_RCVBUFFORCE); without it the kernel gives what that allows.</summary>
        private void SetReceiveBuffer(int bytes)
        {
            if (OperatingSystem.IsLinux())
            {
                try
                {
                    Socket.SetRawSocketOption(SolSocket, SoReceiveBufferForce, MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in bytes)));
                    return;
                }
                catch (SocketException)
                {
                    // No privilege: what follows is for everybody.
                }
            }

            Socket.ReceiveBufferSize = bytes;
        }

        /// <summary>Datagrams dropped, a 32-bit number that wraps, and the size of the buffer.</summary>
        private void ReadMemInfo()
        {
            if (!OperatingSystem.IsLinux())
            {
                _receiveBuffer = Socket.ReceiveBufferSize;
                return;
            }

            Span<uint> info = stackalloc uint[MemInfoVars];
            if (Socket.GetRawSocketOption(SolSocket, SoMemInfo, MemoryMarshal.AsBytes(info)) >= MemInfoVars * sizeof(uint))
            {
                _dropped += unchecked(info[MemInfoDrops] - _dropsBefore);
                _dropsBefore = info[MemInfoDrops];
                _receiveBuffer = info[MemInfoReceiveBuffer];
            }
        }
    }
}
