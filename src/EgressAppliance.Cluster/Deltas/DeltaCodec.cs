namespace EgressAppliance.Cluster.Deltas;

/// <summary>
/// Deltas as octets, by <c>delta.proto</c>. Written and read by the primitives of Google.Protobuf straight from and to the arrays: generated classes would make two lists of
/// boxed columns of every message. Reading throws for no input and takes no more memory than a few times the message.
/// </summary>
public static class DeltaCodec
{
    /// <summary>The format that is written and read.</summary>
    public const int Format = 1;

    /// <summary>Most cells of a message: twice the routes of the Internet.</summary>
    public const int MaxCells = 2_000_000;

    /// <summary>Most links of a message, that of unmatched packets included.</summary>
    public const int MaxLinks = 256;

    /// <summary>Most lines of <see cref="CollectorHealth.Problems"/> that are sent, and characters of any text.</summary>
    public const int MaxProblems = 32, MaxText = 512;

    /// <summary>Writes a delta. Problems beyond the limits are left out or cut.</summary>
    public static byte[] Encode(TrafficDelta delta)
    {
        ArgumentNullException.ThrowIfNull(delta);
        return DeltaWriter.Write(delta);
    }

    /// <summary>Reads a delta.</summary>
    /// <param name="message">Any octets.</param>
    /// <param name="delta">The delta; null if false is returned.</param>
    /// <param name="fault">What is wrong; <see cref="DeltaFault.None"/> if true is returned.</param>
    public static bool TryDecode(byte[] message, out TrafficDelta? delta, out DeltaFault fault)
    {
        ArgumentNullException.ThrowIfNull(message);
        (delta, fault) = DeltaReader.Read(message);
        return fault == DeltaFault.None;
    }
}
