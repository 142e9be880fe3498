namespace EgressAppliance.Capture.SharpPcap;

/// <summary>What the adapter needs of an open SharpPcap device, and all it knows of it.</summary>
public interface IPcapDevice : IDisposable
{
    /// <summary>Link type of its frames, as pcap numbers it.</summary>
    int LinkType { get; }

    /// <summary>Text of the last error.</summary>
    string LastError { get; }

    /// <summary>Frames dropped for want of buffer since opening, 32 bits wide: it wraps.</summary>
    uint Dropped { get; }

    /// <summary>pcap_next_ex: 1 a frame, 0 none in time, negative an error. Header and data stay valid until the next call.</summary>
    int NextPacket(ref nint header, ref nint data);
}
