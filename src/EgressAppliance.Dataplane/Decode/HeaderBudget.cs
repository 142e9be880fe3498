namespace EgressAppliance.Dataplane.Decode;

/// <summary>
/// What the decoder may spend on one frame. Headers can be stacked as deep as a frame is long, and whoever sends the frame chooses how deep:
/// past these limits it ends as <see cref="DecodeStatus.TooDeep"/>. All of them lie far above what networks in use have.
/// </summary>
internal struct HeaderBudget
{
    /// <summary>VLAN tags in front of one EtherType. Two are usual, three happen.</summary>
    public const int MaxVlanTags = 16;

    /// <summary>Labels of one MPLS stack. Segment routing with entropy labels comes to about a dozen.</summary>
    public const int MaxMplsLabels = 32;

    /// <summary>Tunnels, one within the other, and so IP headers but one.</summary>
    public const int MaxTunnels = 16;

    /// <summary>Options of one hop-by-hop header, padding included, among which the jumbo payload option is sought.</summary>
    public const int MaxOptions = 32;

    /// <summary>Headers between the first IP header and the last: IP, extension and tunnel headers, GRE routing entries.</summary>
    public const int MaxHeaders = 256;

    /// <summary>Bytes that these headers may take up together.</summary>
    public const int MaxBytes = 16 << 10;

    private int _headers;
    private int _bytes;

    /// <summary>Takes one header of this length out of the budget; false if it is used up.</summary>
    public bool TryTake(int bytes)
    {
        _headers++;
        _bytes += bytes;
        return _headers <= MaxHeaders && _bytes <= MaxBytes;
    }
}
