using System.Buffers.Binary;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Wire;

/// <summary>
/// Reads a run of path attributes. Each attribute is one small method that returns the error it found or null; what the error
/// leads to is part of the error. Flags are checked before the value, duplicates before both (RFC 7606 section 3). Values stay where they are in the
/// message until all are read; then they are put together as one block of octets (<see cref="AttributeBlock"/>), so that a table of a million routes
/// makes no objects.
/// </summary>
internal ref struct AttributeDecoder(BgpCodecOptions options, UpdateMessage message)
{
    private readonly BgpCodecOptions _options = options;
    private readonly UpdateMessage _message = message;
    private UInt128 _seenLow;
    private UInt128 _seenHigh;
    private BlockParts _parts;
    private NextHop _nextHop;
    private ReadOnlySpan<byte> _as4Path;
    private (uint As, uint Address)? _aggregator;
    private (uint As, uint Address)? _as4Aggregator;

    /// <summary>MRT files hold MP_REACH_NLRI cut down to its next hop (RFC 6396 section 4.3.4).</summary>
    public bool AbbreviatedMpReach { get; init; }

    /// <summary>Reads everything, adds errors to the message and sets its attributes.</summary>
    public void Decode(ReadOnlySpan<byte> attributes, bool hasNlri)
    {
        var reader = new BgpReader(attributes);
        bool any = false;
        while (!reader.AtEnd)
        {
            if (!reader.TryReadByte(out byte flagBits) || !reader.TryReadByte(out byte type))
            {
                _message.Add(BgpError.Withdraw(UpdateSubcode.AttributeList, "stray octets after the last attribute"));
                break;
            }

            var flags = (AttributeFlags)(flagBits & 0xF0);
            bool fits;
            int length;
            if ((flags & AttributeFlags.ExtendedLength) != 0)
            {
                fits = reader.TryReadUInt16(out ushort wide);
                length = wide;
            }
            else
            {
                fits = reader.TryReadByte(out byte narrow);
                length = narrow;
            }

            if (!fits || !reader.TryReadSpan(length, out ReadOnlySpan<byte> value))
            {
                _message.Add(BgpError.Withdraw(UpdateSubcode.Length, $"attribute {type} is longer than what is left of the attributes"));
                break;
            }

            any |= type is not (byte)AttributeType.MpUnreachNlri;
            if (DecodeOne(flags, (AttributeType)type, value) is { } error)
            {
                _message.Add(error);
                if (error.Action == ErrorAction.SessionReset)
                {
                    return;
                }
            }
        }

        Finish(any, hasNlri);
    }

    private void Finish(bool any, bool hasNlri)
    {
        if (_message.Action != ErrorAction.SessionReset && (hasNlri || _message.MpReachFamily is not null))
        {
            AttributeType? missing = !Seen(AttributeType.Origin) ? AttributeType.Origin
                : !Seen(AttributeType.AsPath) ? AttributeType.AsPath
                : hasNlri && !Seen(AttributeType.NextHop) ? AttributeType.NextHop
                : null;
            if (missing is { } type)
            {
                _message.Add(BgpError.Withdraw(UpdateSubcode.MissingWellKnown, $"mandatory attribute {type} is missing"));
            }
        }

        if (!any)
        {
            return;
        }

        (uint As, uint Address)? aggregator = _aggregator;
        if (!_options.FourOctetAs)
        {
            // RFC 6793 section 4.2.3: an AGGREGATOR that does not carry AS_TRANS was made by a 2-octet speaker on the way,
            // and both 4-octet attributes are then older than it.
            bool older = aggregator is { } plain && plain.As != BgpConstants.AsTrans && _as4Aggregator is not null;
            aggregator = older || aggregator is null ? aggregator : _as4Aggregator ?? aggregator;
            WidenAsPath(older ? default : _as4Path);
        }

        _parts.HasAggregator = aggregator is not null;
        _parts.AggregatorAs = aggregator?.As ?? 0;
        _parts.AggregatorAddress = aggregator?.Address ?? 0;
        _message.SetAttributes(_parts, _nextHop);
    }

    private void WidenAsPath(ReadOnlySpan<byte> as4Path)
    {
        if (_parts.AsPath.IsEmpty || !AsPath.TryDecode(_parts.AsPath, fourOctet: false, out AsPath path))
        {
            _parts.AsPath = default;
            return;
        }

        if (AsPath.TryDecode(as4Path, fourOctet: true, out AsPath wide))
        {
            path = AsPath.Merge(path, wide);
        }

        if (path.Wire.Length > ushort.MaxValue)
        {
            _message.Add(BgpError.Withdraw(UpdateSubcode.AsPath, "AS_PATH is longer than 65535 octets with 4-octet AS numbers"));
            path = AsPath.Empty;
        }

        _parts.AsPath = path.Wire;
    }

    private BgpError? DecodeOne(AttributeFlags flags, AttributeType type, ReadOnlySpan<byte> value)
    {
        if (!MarkSeen(type))
        {
            return type is AttributeType.MpReachNlri or AttributeType.MpUnreachNlri
                ? BgpError.Reset(BgpErrorCode.Update, UpdateSubcode.AttributeList, $"{type} appears twice")
                : BgpError.Discard(UpdateSubcode.AttributeList, $"{type} appears twice, the first is used");
        }

        if (_options.External && type is (AttributeType.LocalPref or AttributeType.OriginatorId or AttributeType.ClusterList))
        {
            return BgpError.Discard(UpdateSubcode.Optional, $"{type} from an external peer");
        }

        BgpError? flagsError = null;
        if (ExpectedFlags(type) is { } expected && (flags & (AttributeFlags.Optional | AttributeFlags.Transitive)) != expected)
        {
            flagsError = BgpError.Withdraw(UpdateSubcode.Flags, $"{type} has the wrong flags");
            if (type is not (AttributeType.MpReachNlri or AttributeType.MpUnreachNlri))
            {
                return flagsError;
            }
        }

        return DecodeValue(flags, type, value) ?? flagsError;
    }

    private BgpError? DecodeValue(AttributeFlags flags, AttributeType type, ReadOnlySpan<byte> value) => type switch
    {
        AttributeType.Origin => DecodeOrigin(value),
        AttributeType.AsPath => DecodeAsPath(value),
        AttributeType.NextHop => DecodeNextHop(value),
        AttributeType.Med => DecodeUInt32(type, value, out _parts.Med),
        AttributeType.LocalPref => DecodeUInt32(type, value, out _parts.LocalPref),
        AttributeType.AtomicAggregate => DecodeAtomicAggregate(value),
        AttributeType.Aggregator => DecodeAggregator(type, value, _options.FourOctetAs, out _aggregator),
        AttributeType.Communities => DecodeList(type, value, 4, out _parts.Communities),
        AttributeType.OriginatorId => DecodeUInt32(type, value, out _parts.OriginatorId),
        AttributeType.ClusterList => DecodeList(type, value, 4, out _parts.ClusterList),
        AttributeType.MpReachNlri => DecodeMpReach(value),
        AttributeType.MpUnreachNlri => DecodeMpUnreach(value),
        AttributeType.ExtendedCommunities => DecodeList(type, value, 8, out _parts.ExtendedCommunities),
        AttributeType.As4Path => DecodeAs4Path(value),
        AttributeType.As4Aggregator => _options.FourOctetAs
            ? BgpError.Discard(UpdateSubcode.Optional, "AS4_AGGREGATOR on a session with 4-octet AS numbers")
            : DecodeAggregator(type, value, fourOctet: true, out _as4Aggregator),
        AttributeType.LargeCommunities => DecodeList(type, value, 12, out _parts.LargeCommunities),
        AttributeType.Aigp => DecodeAigp(value),
        AttributeType.IPv6ExtendedCommunities when value.Length == 0 || value.Length % 20 != 0 =>
            BgpError.Withdraw(UpdateSubcode.Length, $"{type} has {value.Length} octets"),
        AttributeType.OnlyToCustomer when value.Length != 4 => BgpError.Withdraw(UpdateSubcode.Length, $"{type} has {value.Length} octets"),
        _ => KeepUnknown(flags, type, value),
    };

    private BgpError? DecodeOrigin(ReadOnlySpan<byte> value)
    {
        if (value.Length != 1)
        {
            return BgpError.Withdraw(UpdateSubcode.Length, $"ORIGIN has {value.Length} octets");
        }

        if (value[0] > (byte)Origin.Incomplete)
        {
            return BgpError.Withdraw(UpdateSubcode.Origin, $"ORIGIN is {value[0]}");
        }

        _parts.Origin = (Origin)value[0];
        return null;
    }

    private BgpError? DecodeAsPath(ReadOnlySpan<byte> value)
    {
        if (!AsPathWire.IsValid(value, _options.FourOctetAs, out _, out _, out bool confed))
        {
            return BgpError.Withdraw(UpdateSubcode.AsPath, "AS_PATH is malformed");
        }

        _parts.AsPath = value;
        return _options.External && confed
            ? BgpError.Withdraw(UpdateSubcode.AsPath, "AS_PATH from an external peer has a confederation segment")
            : null;
    }

    private BgpError? DecodeAs4Path(ReadOnlySpan<byte> value)
    {
        if (_options.FourOctetAs)
        {
            return BgpError.Discard(UpdateSubcode.Optional, "AS4_PATH on a session with 4-octet AS numbers");
        }

        if (!AsPathWire.IsValid(value, fourOctet: true, out _, out _, out bool confed) || confed)
        {
            return BgpError.Discard(UpdateSubcode.Optional, "AS4_PATH is malformed");
        }

        _as4Path = value;
        return null;
    }

    private BgpError? DecodeNextHop(ReadOnlySpan<byte> value)
    {
        if (value.Length != 4)
        {
            return BgpError.Withdraw(UpdateSubcode.NextHop, $"NEXT_HOP has {value.Length} octets");
        }

        _nextHop = new NextHop(IpAddr.FromBytes(value));
        return IsHost(_nextHop.Address) ? null : BgpError.Withdraw(UpdateSubcode.NextHop, $"NEXT_HOP {_nextHop} is not a host address");
    }

    private BgpError? DecodeAtomicAggregate(ReadOnlySpan<byte> value)
    {
        _parts.AtomicAggregate = value.IsEmpty;
        return value.IsEmpty ? null : BgpError.Discard(UpdateSubcode.Length, $"ATOMIC_AGGREGATE has {value.Length} octets");
    }

    private static BgpError? DecodeUInt32(AttributeType type, ReadOnlySpan<byte> value, out uint? result)
    {
        var reader = new BgpReader(value);
        bool good = reader.TryReadUInt32(out uint number) && reader.AtEnd;
        result = good ? number : null;
        return good ? null : BgpError.Withdraw(UpdateSubcode.Length, $"{type} has {value.Length} octets");
    }

    private static BgpError? DecodeAggregator(AttributeType type, ReadOnlySpan<byte> value, bool fourOctet, out (uint As, uint Address)? aggregator)
    {
        aggregator = null;
        if (value.Length != (fourOctet ? 8 : 6))
        {
            return BgpError.Discard(UpdateSubcode.Length, $"{type} has {value.Length} octets");
        }

        var reader = new BgpReader(value);
        uint asNumber;
        if (fourOctet)
        {
            _ = reader.TryReadUInt32(out asNumber);
        }
        else
        {
            _ = reader.TryReadUInt16(out ushort narrow);
            asNumber = narrow;
        }

        if (asNumber == 0)
        {
            return BgpError.Discard(UpdateSubcode.Optional, $"{type} has AS 0 (RFC 7607)");
        }

        aggregator = (asNumber, BinaryPrimitives.ReadUInt32BigEndian(reader.Rest));
        return null;
    }

    private static BgpError? DecodeList(AttributeType type, ReadOnlySpan<byte> value, int size, out ReadOnlySpan<byte> list)
    {
        bool good = !value.IsEmpty && value.Length % size == 0;
        list = good ? value : default;
        return good ? null : BgpError.Withdraw(UpdateSubcode.Optional, $"{type} has {value.Length} octets");
    }

    private static BgpError? DecodeAigp(ReadOnlySpan<byte> value)
    {
        var reader = new BgpReader(value);
        while (!reader.AtEnd)
        {
            if (!reader.TryReadByte(out byte type) || !reader.TryReadUInt16(out ushort length) || length < 3 || (type == 1 && length != 11)
                || !reader.TryReadSpan(length - 3, out _))
            {
                return BgpError.Discard(UpdateSubcode.Optional, "AIGP is malformed");
            }
        }

        // Non-transitive and of no use here: AIGP is not enabled on any session (RFC 7311 section 3).
        return null;
    }

    private BgpError? DecodeMpReach(ReadOnlySpan<byte> value)
    {
        var reader = new BgpReader(value);
        ReadOnlySpan<byte> nextHop;
        AfiSafi family;
        if (AbbreviatedMpReach && value.Length > 0 && value[0] != 0)
        {
            family = AfiSafi.IPv6Unicast;
            if (!reader.TryReadByte(out byte length) || !reader.TryReadSpan(length, out nextHop))
            {
                return MpError("MP_REACH_NLRI is truncated");
            }
        }
        else
        {
            if (!reader.TryReadUInt16(out ushort afi) || !reader.TryReadByte(out byte safi) || !reader.TryReadByte(out byte length)
                || !reader.TryReadSpan(length, out nextHop) || !reader.TryReadByte(out _))
            {
                return MpError("MP_REACH_NLRI is truncated");
            }

            family = new(afi, safi);
        }

        _message.MpReachFamily = family;
        if (family.Family is not { } known)
        {
            return null;
        }

        // RFC 8950 section 4: once negotiated, the length tells which family the next hop of an IPv4 route is of.
        bool lengthFits = known == IpFamily.IPv4 && nextHop.Length == 4 ? true : (known == IpFamily.IPv6 || _options.ExtendedNextHop) && nextHop.Length is 16 or 32;
        if (!lengthFits)
        {
            return MpError($"MP_REACH_NLRI has a next hop of {nextHop.Length} octets for {family}");
        }

        if (!UpdateDecoder.ReadNlri(reader.Rest, known, _options, _message.MpReach))
        {
            return MpError("a prefix in MP_REACH_NLRI is truncated or too long");
        }

        _message.MpNextHop = ReadNextHop(nextHop);
        return IsHost(_message.MpNextHop.Address)
            ? null
            : BgpError.Withdraw(UpdateSubcode.NextHop, $"next hop {_message.MpNextHop} of MP_REACH_NLRI is not a host address");
    }

    private static NextHop ReadNextHop(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != 32)
        {
            return new(IpAddr.FromBytes(bytes));
        }

        // BIRD sends :: and its link-local address where it has no global one.
        IpAddr global = IpAddr.FromBytes(bytes[..16]);
        IpAddr linkLocal = IpAddr.FromBytes(bytes[16..]);
        return global.High == 0 && global.Low == 0 ? new(linkLocal) : new(global, linkLocal);
    }

    private BgpError? DecodeMpUnreach(ReadOnlySpan<byte> value)
    {
        var reader = new BgpReader(value);
        if (!reader.TryReadUInt16(out ushort afi) || !reader.TryReadByte(out byte safi))
        {
            return MpError("MP_UNREACH_NLRI is truncated");
        }

        AfiSafi family = new(afi, safi);
        _message.MpUnreachFamily = family;
        return family.Family is { } known && !UpdateDecoder.ReadNlri(reader.Rest, known, _options, _message.MpUnreach)
            ? MpError("a prefix in MP_UNREACH_NLRI is truncated or too long")
            : null;
    }

    private static BgpError MpError(string text) => BgpError.Reset(BgpErrorCode.Update, UpdateSubcode.Optional, text);

    private BgpError? KeepUnknown(AttributeFlags flags, AttributeType type, ReadOnlySpan<byte> value)
    {
        if ((flags & AttributeFlags.Optional) == 0)
        {
            return BgpError.Reset(
                BgpErrorCode.Update, UpdateSubcode.UnknownWellKnown, $"attribute {(byte)type} is marked well-known and is not known");
        }

        const AttributeFlags Kept = AttributeFlags.Optional | AttributeFlags.Transitive | AttributeFlags.Partial;
        return (flags & AttributeFlags.Transitive) == 0 || _message.TryAddUnknown((byte)Kept, (byte)type, value)
            ? null
            : BgpError.Discard(UpdateSubcode.Optional, $"attribute {(byte)type} makes the unknown attributes longer than can be held");
    }

    private static AttributeFlags? ExpectedFlags(AttributeType type) => type switch
    {
        AttributeType.Origin or AttributeType.AsPath or AttributeType.NextHop or AttributeType.LocalPref or AttributeType.AtomicAggregate =>
            AttributeFlags.Transitive,
        AttributeType.Med or AttributeType.OriginatorId or AttributeType.ClusterList or AttributeType.MpReachNlri or AttributeType.MpUnreachNlri
            or AttributeType.Aigp => AttributeFlags.Optional,
        AttributeType.Aggregator or AttributeType.Communities or AttributeType.ExtendedCommunities or AttributeType.As4Path
            or AttributeType.As4Aggregator or AttributeType.IPv6ExtendedCommunities or AttributeType.LargeCommunities
            or AttributeType.OnlyToCustomer => AttributeFlags.Optional | AttributeFlags.Transitive,
        _ => null,
    };

    /// <summary>RFC 4271 section 6.3: a next hop must be a host's address.</summary>
    private static bool IsHost(IpAddr address) => address.Family == IpFamily.IPv4
        ? address.IPv4Value >> 24 is not (0 or 127 or >= 224)
        : (address.High != 0 || address.Low > 1) && address.High >> 56 != 0xFF;

    private readonly bool Seen(AttributeType type) => ((((byte)type < 128 ? _seenLow : _seenHigh) >> ((byte)type & 127)) & 1) != 0;

    private bool MarkSeen(AttributeType type)
    {
        bool first = !Seen(type);
        if ((byte)type < 128)
        {
            _seenLow |= UInt128.One << (byte)type;
        }
        else
        {
            _seenHigh |= UInt128.One << ((byte)type & 127);
        }

        return first;
    }
}
