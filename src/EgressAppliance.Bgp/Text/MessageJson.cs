using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;

namespace EgressAppliance.Bgp.Text;

/// <summary>
/// One BGP message as one JSON object: its type and fields, or the error in it with the action RFC 7606 asks for. Errors that leave the
/// message usable (attribute-discard) or its prefixes known (treat-as-withdraw) come with the fields; after session-reset there are none.
/// </summary>
public static class MessageJson
{
    /// <summary>The object for one whole message, as text in one line.</summary>
    public static string ToJson(ReadOnlySpan<byte> message, in BgpCodecOptions options)
    {
        var output = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(output))
        {
            Write(message, options, json);
        }

        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    /// <summary>Writes the object for one whole message, marker included. Octets missing or left over are an error of the header (1/2).</summary>
    public static void Write(ReadOnlySpan<byte> message, in BgpCodecOptions options, Utf8JsonWriter json)
    {
        ArgumentNullException.ThrowIfNull(json);
        json.WriteStartObject();
        bool told = BgpFramer.TryReadHeader(message, options, out BgpMessageType type, out int length, out BgpError? error);
        if (type != default)
        {
            json.WriteString("type", TypeName(type));
        }

        if (error is null && (!told || length != message.Length))
        {
            error = BgpError.Reset(
                BgpErrorCode.Header, HeaderSubcode.BadLength,
                length == 0 ? "the header is truncated" : $"the header says {length} octets, {message.Length} are there");
        }

        error ??= WriteBody(type, message[BgpConstants.HeaderLength..], options, json);
        if (error is not null)
        {
            WriteError(json, error);
        }

        json.WriteEndObject();
    }

    private static string TypeName(BgpMessageType type) => type switch
    {
        BgpMessageType.Open => "OPEN",
        BgpMessageType.Update => "UPDATE",
        BgpMessageType.Notification => "NOTIFICATION",
        BgpMessageType.Keepalive => "KEEPALIVE",
        BgpMessageType.RouteRefresh => "ROUTE-REFRESH",
        _ => ((byte)type).ToString(),
    };

    private static BgpError? WriteBody(BgpMessageType type, ReadOnlySpan<byte> body, in BgpCodecOptions options, Utf8JsonWriter json)
    {
        switch (type)
        {
            case BgpMessageType.Open:
                BgpError? openError = OpenMessage.Decode(body, out OpenMessage? open);
                if (open is not null)
                {
                    WriteOpen(json, open);
                }

                return openError;
            case BgpMessageType.Update:
                var update = new UpdateMessage();
                if (UpdateDecoder.Decode(body, options, update) != ErrorAction.SessionReset)
                {
                    WriteUpdate(json, update, options);
                }

                return Strongest(update);
            case BgpMessageType.Notification:
                WriteNotification(json, NotificationMessage.Decode(body));
                return null;
            case BgpMessageType.RouteRefresh:
                BgpError? refreshError = RouteRefreshMessage.Decode(body, out RouteRefreshMessage? refresh);
                if (refresh is not null)
                {
                    json.WriteNumber("afi", refresh.Family.Afi);
                    json.WriteNumber("subtype", refresh.Subtype);
                    json.WriteNumber("safi", refresh.Family.Safi);
                }

                return refreshError;
            default:
                return null;
        }
    }

    private static BgpError? Strongest(UpdateMessage update)
    {
        foreach (BgpError error in update.Errors)
        {
            if (error.Action == update.Action)
            {
                return error;
            }
        }

        return null;
    }

    internal static void WriteError(Utf8JsonWriter json, BgpError error)
    {
        json.WriteStartObject("error");
        json.WriteNumber("code", error.Code);
        json.WriteNumber("subcode", error.Subcode);
        json.WriteString("action", error.Action switch
        {
            ErrorAction.AttributeDiscard => "attribute-discard",
            ErrorAction.TreatAsWithdraw => "treat-as-withdraw",
            _ => "session-reset",
        });
        json.WriteString("text", error.Text);
        json.WriteEndObject();
    }

    private static void WriteOpen(Utf8JsonWriter json, OpenMessage open)
    {
        json.WriteNumber("version", open.Version);
        json.WriteNumber("my_as", open.MyAs);
        json.WriteNumber("as", open.AsNumber);
        json.WriteNumber("hold_time", open.HoldTime);
        json.WriteString("router_id", Quad(open.RouterId));
        json.WriteStartArray("capabilities");
        foreach (BgpCapability capability in open.Capabilities)
        {
            json.WriteStartObject();
            json.WriteNumber("code", capability.Code);
            if (capability.TryGetMultiprotocol(out AfiSafi family))
            {
                json.WriteString("name", "multiprotocol");
                WriteFamily(json, family);
            }
            else if (capability.TryGetFourOctetAs(out uint asNumber))
            {
                json.WriteString("name", "4-octet-as");
                json.WriteNumber("as", asNumber);
            }
            else if (capability.TryGetAddPath(out IReadOnlyList<AddPathEntry> entries))
            {
                WriteAddPath(json, entries);
            }
            else
            {
                json.WriteString("value", Convert.ToHexStringLower(capability.Value));
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteAddPath(Utf8JsonWriter json, IReadOnlyList<AddPathEntry> entries)
    {
        json.WriteString("name", "add-path");
        json.WriteStartArray("families");
        foreach (AddPathEntry entry in entries)
        {
            json.WriteStartObject();
            WriteFamily(json, entry.Family);
            json.WriteString("mode", entry.Mode switch { AddPathMode.Receive => "receive", AddPathMode.Send => "send", _ => "both" });
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteNotification(Utf8JsonWriter json, NotificationMessage message)
    {
        json.WriteNumber("code", message.Code);
        json.WriteNumber("subcode", message.Subcode);
        json.WriteString("name", NotificationNames.Describe(message.Code, message.Subcode));
        json.WriteString("data", Convert.ToHexStringLower(message.Data.Span));
        if (message.ShutdownText is { } text)
        {
            json.WriteString("shutdown", text);
        }
    }

    private static void WriteUpdate(Utf8JsonWriter json, UpdateMessage update, in BgpCodecOptions options)
    {
        if (update.EndOfRib is { } family)
        {
            json.WriteString("end_of_rib", family.ToString());
        }

        WriteNlri(json, "withdrawn", update.Withdrawn, options.AddPathIPv4);
        json.WriteStartObject("attributes");
        if (update.Attributes is { } attributes)
        {
            WriteAttributes(json, attributes);
        }

        if (update.MpReachFamily is { } reach)
        {
            json.WriteStartObject("mp_reach");
            WriteFamily(json, reach);
            if (reach.Family is { } known)
            {
                json.WriteString("next_hop", update.MpNextHop.Address.ToString());
                if (!update.MpNextHop.LinkLocal.IsDefault)
                {
                    json.WriteString("next_hop_link_local", update.MpNextHop.LinkLocal.ToString());
                }

                WriteNlri(json, "nlri", update.MpReach, options.AddPath(known));
            }

            json.WriteEndObject();
        }

        if (update.MpUnreachFamily is { } unreach)
        {
            json.WriteStartObject("mp_unreach");
            WriteFamily(json, unreach);
            if (unreach.Family is { } known)
            {
                WriteNlri(json, "withdrawn", update.MpUnreach, options.AddPath(known));
            }

            json.WriteEndObject();
        }

        json.WriteEndObject();
        WriteNlri(json, "nlri", update.Announced, options.AddPathIPv4);
    }

    /// <summary>Writes the members of the <c>attributes</c> object that are not multiprotocol.</summary>
    internal static void WriteAttributes(Utf8JsonWriter json, PathAttributes attributes)
    {
        json.WriteString("origin", attributes.Origin switch { Origin.Igp => "igp", Origin.Egp => "egp", _ => "incomplete" });
        json.WriteString("as_path", attributes.AsPath.ToString());
        if (!attributes.NextHop.Address.IsDefault)
        {
            json.WriteString("next_hop", attributes.NextHop.Address.ToString());
        }

        WriteNumber(json, "med", attributes.Med);
        WriteNumber(json, "local_pref", attributes.LocalPref);
        if (attributes.AtomicAggregate)
        {
            json.WriteBoolean("atomic_aggregate", true);
        }

        if (attributes.Aggregator is { } aggregator)
        {
            json.WriteStartObject("aggregator");
            json.WriteNumber("as", aggregator.As);
            json.WriteString("address", aggregator.Address.ToString());
            json.WriteEndObject();
        }

        WriteList(json, "communities", attributes.Communities.AsSpan(), Community.Format);
        if (attributes.OriginatorId is { } originator)
        {
            json.WriteString("originator_id", Quad(originator));
        }

        WriteList(json, "cluster_list", attributes.ClusterList.AsSpan(), Quad);
        WriteList(json, "extended_communities", attributes.ExtendedCommunities.AsSpan(), static c => c.ToString("x16"));
        WriteList(json, "large_communities", attributes.LargeCommunities.AsSpan(), static c => c.ToString());
        if (attributes.Unknown.Length > 0)
        {
            json.WriteStartArray("unknown");
            foreach (RawAttribute raw in attributes.Unknown)
            {
                json.WriteStartObject();
                json.WriteNumber("type", raw.Type);
                json.WriteString("value", Convert.ToHexStringLower(raw.Value.AsSpan()));
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }
    }

    private static void WriteNlri(Utf8JsonWriter json, string name, List<Nlri> list, bool addPath)
    {
        json.WriteStartArray(name);
        foreach (Nlri nlri in list)
        {
            json.WriteStartObject();
            json.WriteString("prefix", nlri.Prefix.ToString());
            if (addPath)
            {
                json.WriteNumber("path_id", nlri.PathId);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteFamily(Utf8JsonWriter json, AfiSafi family)
    {
        json.WriteNumber("afi", family.Afi);
        json.WriteNumber("safi", family.Safi);
    }

    private static void WriteNumber(Utf8JsonWriter json, string name, uint? value)
    {
        if (value is { } number)
        {
            json.WriteNumber(name, number);
        }
    }

    private static void WriteList<T>(Utf8JsonWriter json, string name, ReadOnlySpan<T> items, Func<T, string> text)
    {
        if (items.IsEmpty)
        {
            return;
        }

        json.WriteStartArray(name);
        foreach (T item in items)
        {
            json.WriteStringValue(text(item));
        }

        json.WriteEndArray();
    }

    internal static string Quad(uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return $"{bytes[0]}.{bytes[1]}.{bytes[2]}.{bytes[3]}";
    }
}
