using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using EgressAppliance.SystemTests.Infrastructure;

namespace EgressAppliance.SystemTests.Network;

/// <summary>What becomes of the mirrored frames to one provider.</summary>
internal sealed record MirrorShape
{
    /// <summary>Each frame once, as it is.</summary>
    public static readonly MirrorShape Whole = new();

    /// <summary>Share of frames that is lost, at random, 0–1.</summary>
    public double Loss { get; init; }

    /// <summary>How often each frame comes.</summary>
    public int Copies { get; init; } = 1;

    /// <summary>One frame in this many, at random, is passed on.</summary>
    public int OneIn { get; init; } = 1;

    /// <summary>Frames are filled up to the least size of Ethernet, as a port of copper or glass does.</summary>
    public bool Pad { get; init; }

    /// <summary>Tags to add, from the outermost: protocol and VLAN.</summary>
    public IReadOnlyList<(ushort Protocol, ushort Vlan)> Tags { get; init; } = [];
}

/// <summary>
/// A switch between the router's mirror port and the appliance, which does with the copies what switches do: loses, doubles, samples, tags and pads them. One thread
/// of its own lives in the switch's namespace and copies frame by frame; what it does may change at any time.
/// </summary>
internal sealed class MirrorSwitch : IDisposable
{
    /// <summary>Protocol of a tag of 802.1Q.</summary>
    public const ushort CustomerTag = 0x8100;

    /// <summary>Protocol of the outer tag of 802.1ad.</summary>
    public const ushort ServiceTag = 0x88a8;

    /// <summary>Where the router's mirror port leads to.</summary>
    public const string Inside = "in0";

    /// <summary>What leads to the appliance.</summary>
    public const string Outside = "out0";

    private const int ProtocolAll = 0x0300;
    private const int LeastFrame = 60;
    private const int MacBytes = 6;
    private const int SolSocket = 1;
    private const int ReceiveBufferForce = 33;
    private const int SolPacket = 263;
    private const int PacketStatistics = 6;
    private const int BufferBytes = 32 << 20;
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(200);

    private readonly Dictionary<long, MirrorShape> _shapes = [];
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Thread _thread;
    private volatile bool _stop;
    private long _dropped;

    private volatile string[] _outputs = [Outside];

    private MirrorSwitch(string namespacePath)
    {
        _thread = new Thread(() => Run(namespacePath)) { IsBackground = true, Name = "lab mirror switch" };
        _thread.Start();
    }

    /// <summary>Why it stopped, or null.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Frames that it should have taken and could not: a machine that is too slow for the test.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>Starts it; it passes on everything as it is.</summary>
    public static async Task<MirrorSwitch> StartAsync(NetNamespace network)
    {
        var created = new MirrorSwitch(network.Path);
        await created._started.Task;
        return created;
    }

    /// <summary>From now on this becomes of frames to these providers.</summary>
    public void Set(MirrorShape shape, params IEnumerable<Provider> providers)
    {
        lock (_gate)
        {
            foreach (Provider provider in providers)
            {
                _shapes[Key(PhysicalAddress.Parse(provider.Mac).GetAddressBytes())] = shape;
            }
        }
    }

    /// <summary>From now on frames are spread over these ports by their destination: each port has all frames of some flows, and no other has them.</summary>
    public void Spread(params string[] outputs) => _outputs = outputs;

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop = true;
        _thread.Join();
    }

    private static long Key(ReadOnlySpan<byte> mac)
    {
        long key = 0;
        foreach (byte octet in mac)
        {
            key = (key << 8) | octet;
        }

        return key;
    }

    private void Run(string namespacePath)
    {
        try
        {
            NativeMethods.EnterNetworkNamespace(namespacePath);
            NativeMethods.RaisePriority();
            using var inside = new Socket(AddressFamily.Packet, SocketType.Raw, ProtocolType.Unspecified) { ReceiveTimeout = (int)Patience.TotalMilliseconds };

            // The frames of a second in which the machine does something else must not be lost.
            inside.SetRawSocketOption(SolSocket, ReceiveBufferForce, BitConverter.GetBytes(BufferBytes));
            inside.Bind(new LinkEndPoint(NativeMethods.InterfaceIndex(Inside), ProtocolAll));
            _started.SetResult();
            Copy(inside);
        }
        catch (Exception e) when (e is InvalidOperationException or IOException or SocketException)
        {
            Failure = e;
            _started.TrySetException(e);
        }
    }

    private void Copy(Socket inside)
    {
        Random random = new(1);
        string[] names = [];
        Socket[] outside = [];
        byte[] buffer = new byte[1 << 16];
        byte[] shaped = new byte[1 << 16];
        while (!_stop)
        {
            int length;
            try
            {
                length = inside.Receive(buffer);
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.TimedOut or SocketError.WouldBlock)
            {
                NoteDropped(inside);
                continue;
            }

            MirrorShape shape;
            lock (_gate)
            {
                shape = _shapes.GetValueOrDefault(Key(buffer.AsSpan(0, MacBytes)), MirrorShape.Whole);
            }

            if (random.NextDouble() < shape.Loss || random.Next(shape.OneIn) != 0)
            {
                continue;
            }

            if (!ReferenceEquals(names, _outputs))
            {
                names = _outputs;
                Array.ForEach(outside, port => port.Dispose());
                outside = Array.ConvertAll(names, Port);
            }

            int size = Shape(buffer.AsSpan(0, length), shaped, shape);
            Socket output = outside[outside.Length == 1 ? 0 : Destination(buffer.AsSpan(0, length)) % outside.Length];
            for (int copy = 0; copy < shape.Copies; copy++)
            {
                output.Send(shaped, 0, size, SocketFlags.None);
            }
        }

        NoteDropped(inside);
        Array.ForEach(outside, port => port.Dispose());
    }

    private static Socket Port(string name)
    {
        var socket = new Socket(AddressFamily.Packet, SocketType.Raw, ProtocolType.Unspecified);
        socket.Bind(new LinkEndPoint(NativeMethods.InterfaceIndex(name), 0));
        return socket;
    }

    /// <summary>A number of the frame's destination address.</summary>
    private static int Destination(ReadOnlySpan<byte> frame)
    {
        const int TypeAt = 12, Ipv4At = 30, Ipv6At = 38;
        bool ipv6 = frame.Length > TypeAt + 1 && BinaryPrimitives.ReadUInt16BigEndian(frame[TypeAt..]) == 0x86dd;
        int sum = 0;
        foreach (byte octet in ipv6 ? frame.Slice(Ipv6At, 16) : frame.Slice(Ipv4At, 4))
        {
            sum = (sum * 31) + octet;
        }

        return sum & int.MaxValue;
    }

    /// <summary>Writes a frame with its tags and padding; returns its size.</summary>
    private static int Shape(ReadOnlySpan<byte> frame, Span<byte> shaped, MirrorShape shape)
    {
        frame[..(2 * MacBytes)].CopyTo(shaped);
        int at = 2 * MacBytes;
        foreach ((ushort protocol, ushort vlan) in shape.Tags)
        {
            BinaryPrimitives.WriteUInt16BigEndian(shaped[at..], protocol);
            BinaryPrimitives.WriteUInt16BigEndian(shaped[(at + 2)..], vlan);
            at += 4;
        }

        frame[(2 * MacBytes)..].CopyTo(shaped[at..]);
        int size = at + frame.Length - (2 * MacBytes);
        if (shape.Pad && size < LeastFrame)
        {
            shaped[size..LeastFrame].Clear();
            size = LeastFrame;
        }

        return size;
    }

    private void NoteDropped(Socket socket)
    {
        // struct tpacket_stats: packets, drops; reading sets them to zero.
        byte[] statistics = new byte[8];
        socket.GetRawSocketOption(SolPacket, PacketStatistics, statistics);
        Interlocked.Add(ref _dropped, BitConverter.ToUInt32(statistics, 4));
    }

    /// <summary>struct sockaddr_ll with an interface and a protocol in network order.</summary>
    private sealed class LinkEndPoint(int index, ushort protocol) : EndPoint
    {
        private const int Bytes = 20;

        public override AddressFamily AddressFamily => AddressFamily.Packet;

        public override SocketAddress Serialize()
        {
            var address = new SocketAddress(AddressFamily.Packet, Bytes);
            address[2] = (byte)protocol;
            address[3] = (byte)(protocol >> 8);
            for (int i = 0; i < sizeof(int); i++)
            {
                address[4 + i] = (byte)(index >> (8 * i));
            }

            return address;
        }

        public override string ToString() => index.ToString(CultureInfo.InvariantCulture);
    }
}
