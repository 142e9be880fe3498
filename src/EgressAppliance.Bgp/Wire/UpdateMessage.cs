using EgressAppliance.Bgp.Rib;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Wire;

/// <summary>
/// UPDATE (RFC 4271 section 4.3) with its multiprotocol parts (RFC 4760). A mutable container, made to be reused: a session decodes
/// every UPDATE into the same one, so that a table of a million routes costs no lists.
/// </summary>
public sealed class UpdateMessage
{
    private const int FirstBlock = 512;
    private readonly List<BgpError> _errors = [];
    private byte[] _block = new byte[FirstBlock];
    private byte[] _unknown = [];
    private PathAttributes? _attributes;
    private NextHop _nextHop;
    private int _blockLength;
    private int _unknownLength;

    /// <summary>IPv4 prefixes of the WITHDRAWN ROUTES field.</summary>
    public List<Nlri> Withdrawn { get; } = [];

    /// <summary>IPv4 prefixes of the NLRI field.</summary>
    public List<Nlri> Announced { get; } = [];

    /// <summary>Family of MP_REACH_NLRI, or null without it.</summary>
    public AfiSafi? MpReachFamily { get; set; }

    /// <summary>Prefixes of MP_REACH_NLRI; empty for families other than IPv4 and IPv6 unicast.</summary>
    public List<Nlri> MpReach { get; } = [];

    /// <summary>Next hop of MP_REACH_NLRI; a default value for families that are not decoded.</summary>
    public NextHop MpNextHop { get; set; }

    /// <summary>Family of MP_UNREACH_NLRI, or null without it.</summary>
    public AfiSafi? MpUnreachFamily { get; set; }

    /// <summary>Prefixes of MP_UNREACH_NLRI; empty for families other than IPv4 and IPv6 unicast.</summary>
    public List<Nlri> MpUnreach { get; } = [];

    /// <summary>
    /// The attributes with the next hop of NEXT_HOP (a default value if that is absent), or null if the message has none. Those of the routes in
    /// <see cref="MpReach"/> are the same <see cref="PathAttributes.WithNextHop"/> of <see cref="MpNextHop"/>.
    /// </summary>
    public PathAttributes? Attributes
    {
        get => _attributes ??= _blockLength > 0 ? AttributeBlock.ToAttributes(BlockWith(_nextHop)) : null;
        set
        {
            _attributes = value;
            _blockLength = 0;
        }
    }

    /// <summary>True if the message has attributes; unlike <see cref="Attributes"/> it makes no object.</summary>
    public bool HasAttributes => _attributes is not null || _blockLength > 0;

    /// <summary>The errors found, in order.</summary>
    public IReadOnlyList<BgpError> Errors => _errors;

    /// <summary>The strongest consequence among the errors.</summary>
    public ErrorAction Action { get; private set; }

    /// <summary>The family whose End-of-RIB marker this is (RFC 4724 section 2), or null.</summary>
    public AfiSafi? EndOfRib =>
        Withdrawn.Count > 0 || Announced.Count > 0 || MpReachFamily is not null || HasAttributes || Action != ErrorAction.None ? null
        : MpUnreachFamily is { } family ? (family.Family is null || MpUnreach.Count > 0 ? null : family)
        : AfiSafi.IPv4Unicast;

    /// <summary>Makes it empty.</summary>
    public void Clear()
    {
        Withdrawn.Clear();
        Announced.Clear();
        MpReachFamily = null;
        MpReach.Clear();
        MpNextHop = default;
        MpUnreachFamily = null;
        MpUnreach.Clear();
        Attributes = null;
        _unknownLength = 0;
        _errors.Clear();
        Action = ErrorAction.None;
    }

    /// <summary>
    /// The decoded attributes as a block (<see cref="AttributeBlock"/>): with the next hop of NEXT_HOP, or, for the routes in <see cref="MpReach"/>, with that
    /// of MP_REACH_NLRI. Valid until the next call or <see cref="Clear"/>; empty without attributes.
    /// </summary>
    internal ReadOnlySpan<byte> Block(bool multiprotocol)
    {
        if (_blockLength == 0 && _attributes is not null)
        {
            return AttributeBlock.From(multiprotocol ? _attributes.WithNextHop(MpNextHop) : _attributes);
        }

        return _blockLength == 0 ? default : BlockWith(multiprotocol ? MpNextHop : _nextHop);
    }

    /// <summary>Puts decoded attributes together.</summary>
    internal void SetAttributes(in BlockParts parts, NextHop nextHop)
    {
        BlockParts whole = parts;
        whole.Unknown = _unknown.AsSpan(0, _unknownLength);
        int bound = AttributeBlock.Bound(whole);
        if (_block.Length < bound)
        {
            _block = new byte[bound];
        }

        _blockLength = AttributeBlock.Write(whole, _block);
        _nextHop = nextHop;
        _attributes = null;
    }

    /// <summary>Notes a transitive attribute that is not interpreted. False if there are more of them than a block holds.</summary>
    internal bool TryAddUnknown(byte flags, byte type, ReadOnlySpan<byte> value)
    {
        int needed = _unknownLength + AttributeBlock.UnknownLength(value.Length);
        if (needed > ushort.MaxValue)
        {
            return false;
        }

        if (needed > _unknown.Length)
        {
            Array.Resize(ref _unknown, Math.Max(needed, 2 * _unknown.Length));
        }

        _unknownLength += AttributeBlock.WriteUnknown(_unknown.AsSpan(_unknownLength), flags, type, value);
        return true;
    }

    private ReadOnlySpan<byte> BlockWith(NextHop nextHop) => _block.AsSpan(0, AttributeBlock.SetNextHop(_block, _blockLength, nextHop));

    internal void Add(BgpError error)
    {
        _errors.Add(error);
        Action = error.Action > Action ? error.Action : Action;
    }
}
