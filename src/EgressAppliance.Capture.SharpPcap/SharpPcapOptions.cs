namespace EgressAppliance.Capture.SharpPcap;

/// <summary>How an interface is captured with SharpPcap.</summary>
public sealed record SharpPcapOptions
{
    /// <summary>Name of the capture interface.</summary>
    public required string Interface { get; init; }

    /// <summary>Bytes of each frame that are kept, 64 to 65536.</summary>
    public int SnapLength { get; init; } = 128;

    /// <summary>Bytes of libpcap's buffer.</summary>
    public int BufferBytes { get; init; } = 64 << 20;

    /// <summary>A libpcap filter expression; empty: all frames.</summary>
    public string Filter { get; init; } = "";

    /// <summary>Receive frames for any MAC, as a mirror port must.</summary>
    public bool Promiscuous { get; init; } = true;
}
