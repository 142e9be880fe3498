using EgressAppliance.Bgp.Rib;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Wire;

/// <summary>
/// Decodes UPDATE messages. Errors are typed by what they call for (RFC 7606):
/// </summary>
/// <remarks>
/// <para>SessionReset: what makes it impossible to know which routes the message is about (lengths that do not add up, malformed
/// NLRI, a second MP_REACH_NLRI), and a well-known attribute nobody has heard of.</para>
/// <para>TreatAsWithdraw: malformed or missing attributes that choose routes. The prefixes were read, so they can be withdrawn.</para>
/// <para>AttributeDiscard: attributes that only inform (ATOMIC_AGGREGATE, AGGREGATOR), and those an external peer may not send.</para>
/// <para>The attributes are read to the end even after an error, because the strongest error decides. All limits come from lengths
/// that were checked against the enclosing field before.</para>
/// </remarks>
public static class UpdateDecoder
{
    /// <summary>
    /// Reads the body (without header) into <paramref name="message"/>, which is cleared first. Returns the strongest action;
    /// on <see cref="ErrorAction.SessionReset"/> the last error says which NOTIFICATION to send and the lists are not to be used.
    /// </summary>
    public static ErrorAction Decode(ReadOnlySpan<byte> body, in BgpCodecOptions options, UpdateMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        message.Clear();
        var reader = new BgpReader(body);
        if (!reader.TryReadUInt16(out ushort withdrawnLength) || !reader.TryReadSpan(withdrawnLength, out ReadOnlySpan<byte> withdrawn)
            || !reader.TryReadUInt16(out ushort attributesLength) || !reader.TryReadSpan(attributesLength, out ReadOnlySpan<byte> attributes))
        {
            message.Add(BgpError.Reset(
                BgpErrorCode.Update, UpdateSubcode.AttributeList, "the lengths of withdrawn routes and attributes exceed the message"));
            return message.Action;
        }

        if (!ReadNlri(withdrawn, IpFamily.IPv4, options, message.Withdrawn) || !ReadNlri(reader.Rest, IpFamily.IPv4, options, message.Announced))
        {
            message.Add(BgpError.Reset(BgpErrorCode.Update, UpdateSubcode.Network, "a prefix is truncated or longer than 32 bits"));
            return message.Action;
        }

        if (!attributes.IsEmpty)
        {
            var decoder = new AttributeDecoder(options, message);
            decoder.Decode(attributes, hasNlri: message.Announced.Count > 0);
        }
        else if (message.Announced.Count > 0)
        {
            message.Add(BgpError.Withdraw(UpdateSubcode.MissingWellKnown, "prefixes without any attribute"));
        }

        // RFC 7606 section 5.2: with nothing to withdraw, an error that calls for it may hide prefixes that were meant.
        if (message.Action == ErrorAction.TreatAsWithdraw && message.Announced.Count == 0 && message.MpReach.Count == 0
            && message.MpReachFamily is null or { Family: not null })
        {
            BgpError first = message.Errors[^1];
            message.Add(BgpError.Reset(first.Code, first.Subcode, first.Text + ", and no prefix to withdraw for it"));
        }

        return message.Action;
    }

    /// <summary>Reads a run of NLRI to its end.</summary>
    internal static bool ReadNlri(ReadOnlySpan<byte> bytes, IpFamily family, in BgpCodecOptions options, List<Nlri> into)
    {
        var reader = new BgpReader(bytes);
        bool addPath = options.AddPath(family);
        while (!reader.AtEnd)
        {
            if (!reader.TryReadNlri(family, addPath, out Nlri nlri))
            {
                return false;
            }

            into.Add(nlri);
        }

        return true;
    }
}
