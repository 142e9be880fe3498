namespace EgressAppliance.Capture.AfPacket;

/// <summary>How the kernel spreads frames over the workers of an interface (PACKET_FANOUT, packet(7)); the values are the kernel's.</summary>
public enum FanoutMode
{
    /// <summary>By flow.</summary>
    Hash = 0,

    /// <summary>In turn.</summary>
    LoadBalance = 1,

    /// <summary>By the CPU on which the frame arrived.</summary>
    Cpu = 2,

    /// <summary>To the first worker until its ring is full, then to the next.</summary>
    Rollover = 3,
}

/// <summary>How an interface is captured.</summary>
public sealed record AfPacketOptions
{
    /// <summary>Name of the capture interface.</summary>
    public required string Interface { get; init; }

    /// <summary>Bytes of each frame that are kept, 64 to 65536.</summary>
    public int SnapLength { get; init; } = 128;

    /// <summary>Bytes of ring memory per worker; at least two blocks, rounded down to whole ones.</summary>
    public long RingBytes { get; init; } = 64L << 20;

    /// <summary>Bytes of a ring block: a multiple of 4096 with room for a frame, up to 16 MiB.</summary>
    public int BlockBytes { get; init; } = 1 << 20;

    /// <summary>Time after which the kernel hands over a block that is not full, 1 ms to 1 s.</summary>
    public TimeSpan BlockTimeout { get; init; } = TimeSpan.FromMilliseconds(10);

    /// <summary>Sockets, each with a ring, that share the interface's frames: 1 to 64.</summary>
    public int Workers { get; init; } = 1;

    /// <summary>How the frames are shared.</summary>
    public FanoutMode Fanout { get; init; } = FanoutMode.Hash;

    /// <summary>CPUs that the reading threads are bound to, in turn; none: not bound.</summary>
    public IReadOnlyList<int> Cpus { get; init; } = [];

    /// <summary>A libpcap filter expression; empty: all frames.</summary>
    public string Filter { get; init; } = "";

    /// <summary>Receive frames for any MAC, as a mirror port must.</summary>
    public bool Promiscuous { get; init; } = true;

    /// <summary>Checks all ranges.</summary>
    /// <exception cref="CaptureException"><see cref="CaptureError.BadOption"/>, naming the setting.</exception>
    public void Validate()
    {
        const int MaxNameLength = 15;
        Require(Interface.Length is > 0 and <= MaxNameLength, $"interface: a name has 1 to {MaxNameLength} characters");
        Require(SnapLength is >= 64 and <= 65536, $"snaplen: {SnapLength} is not within 64 to 65536 bytes");
        Require(BlockBytes is >= 4096 and <= 16 << 20 && BlockBytes % 4096 == 0, $"block: {BlockBytes} is no multiple of 4096 up to 16 MiB");
        Require(BlockBytes >= SnapLength + 1024, $"block: {BlockBytes} bytes are too few for frames of snaplen {SnapLength}");
        Require(RingBytes >= 2L * BlockBytes, $"ring: {RingBytes} bytes are less than two blocks of {BlockBytes}");
        Require(RingBytes <= 16L << 30, $"ring: {RingBytes} bytes are more than 16 GiB");
        Require(BlockTimeout >= TimeSpan.FromMilliseconds(1) && BlockTimeout <= TimeSpan.FromSeconds(1), "block_timeout: not within 1 ms to 1 s");
        Require(Workers is >= 1 and <= 64, $"workers: {Workers} is not within 1 to 64");
        Require(Enum.IsDefined(Fanout), $"fanout: {Fanout} is no mode");
        foreach (int cpu in Cpus)
        {
            Require(cpu is >= 0 and < ThreadAffinity.MaxCpus && Directory.Exists($"/sys/devices/system/cpu/cpu{cpu}"), $"cpus: there is no CPU {cpu}");
        }
    }

    private void Require(bool condition, string problem)
    {
        if (!condition)
        {
            throw new CaptureException(CaptureError.BadOption, Interface, problem);
        }
    }
}
