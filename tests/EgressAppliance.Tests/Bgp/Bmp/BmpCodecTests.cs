using EgressAppliance.Bgp.Bmp;
using EgressAppliance.Bgp.Rib;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Net;
using EgressAppliance.Tests.Bgp.Wire;
using FsCheck;
using FsCheck.Fluent;

namespace EgressAppliance.Tests.Bgp.Bmp;

public sealed class BmpCodecTests
{
    private static readonly BmpPeerHeader A = BmpMaker.Peer("192.0.2.1", 64501);

    [Theory]
    [InlineData("", false, null)]
    [InlineData("02", true, BmpErrorKind.Version)]
    [InlineData("47455420", true, BmpErrorKind.Version)] // an HTTP request
    [InlineData("0300000006", false, null)]
    [InlineData("030000000604", true, null)]
    [InlineData("030000000504", true, BmpErrorKind.Length)]
    [InlineData("03ffffffff04", true, BmpErrorKind.Length)]
    [InlineData("030000040104", true, BmpErrorKind.Length)]
    [InlineData("030000040004", false, null)]
    [InlineData("0300000006c8", true, null)] // unknown types are framed too
    public void TryReadHeader_tells_messages_errors_and_what_is_missing(string hex, bool told, BmpErrorKind? kind)
    {
        Assert.Equal(told, BmpFramer.TryReadHeader(Convert.FromHexString(hex), 1024, out _, out _, out BmpError? error));
        Assert.Equal(kind, error?.Kind);
        Assert.True(error is null || error.EndsConnection);
    }

    [Theory]
    [InlineData(0, 0x00, BmpTable.AdjRibInPrePolicy, false, false)]
    [InlineData(0, 0x40, BmpTable.AdjRibInPostPolicy, false, false)]
    [InlineData(1, 0x10, BmpTable.AdjRibOutPrePolicy, false, false)]
    [InlineData(2, 0x50, BmpTable.AdjRibOutPostPolicy, false, false)]
    [InlineData(0, 0xA0, BmpTable.AdjRibInPrePolicy, true, false)]
    [InlineData(3, 0x80, BmpTable.LocRib, false, true)]
    [InlineData(3, 0x70, BmpTable.LocRib, false, false)] // those flags mean nothing there (RFC 9069 section 4.2)
    public void Flags_are_read_by_peer_type(byte type, byte flags, BmpTable table, bool legacyAndIPv6, bool filtered)
    {
        byte[] octets = BmpMaker.Header(A with { Flags = flags });
        octets[0] = type;
        var reader = new BgpReader(octets);
        Assert.Null(BmpPeerHeader.Read(ref reader, out BmpPeerHeader header));

        Assert.Equal((table, legacyAndIPv6, legacyAndIPv6, filtered), (header.Table, header.IsLegacyAsPath, header.IsIPv6, header.IsFiltered));
    }

    [Fact]
    public void Header_is_written_as_it_is_read()
    {
        foreach (BmpPeerHeader header in new[] { A, BmpMaker.Peer("2001:db8::1", uint.MaxValue, BmpMaker.PostPolicy, 0x0001_C000_0201_0007), BmpMaker.LocRib(9, 0x80) })
        {
            var reader = new BgpReader(BmpMaker.Header(header));
            Assert.Null(BmpPeerHeader.Read(ref reader, out BmpPeerHeader read));
            Assert.Equal(header, read);
            Assert.True(reader.AtEnd);
        }
    }

    [Theory]
    [InlineData(0x0000_FBF3_0000_004BUL, "64499:75")]
    [InlineData(0x0001_C000_0201_0007UL, "192.0.2.1:7")]
    [InlineData(0x0002_FBF0_005A_038BUL, "4226809946:907")]
    [InlineData(0x8000_0000_0000_0001UL, "8000000000000001")]
    public void FormatDistinguisher_prints_route_distinguishers(ulong value, string expected) =>
        Assert.Equal(expected, BmpPeerId.FormatDistinguisher(value));

    [Theory]
    [InlineData(AddPathMode.Receive, AddPathMode.Send, true, false, false)]
    [InlineData(AddPathMode.Send, AddPathMode.Receive, false, true, true)]
    [InlineData(AddPathMode.Both, AddPathMode.Both, true, true, true)]
    [InlineData(AddPathMode.Send, AddPathMode.None, false, false, false)]
    [InlineData(AddPathMode.None, AddPathMode.Send, false, false, false)]
    [InlineData(AddPathMode.Receive, AddPathMode.Receive, false, false, false)]
    public void Path_identifiers_follow_the_direction_of_the_table(AddPathMode sent, AddPathMode received, bool ribIn, bool ribOut, bool locRib)
    {
        BmpPeerCodec codec = CodecOf(A, BmpMaker.Open(65000, addPath: sent), BmpMaker.Open(64501, addPath: received));

        Assert.Equal(ribIn, codec.OptionsFor(A).AddPathIPv4);
        Assert.Equal(ribIn, codec.OptionsFor(A with { Flags = BmpMaker.PostPolicy }).AddPathIPv6);
        Assert.Equal(ribOut, codec.OptionsFor(A with { Flags = BmpMaker.AdjRibOut }).AddPathIPv4);
        Assert.Equal(locRib, codec.OptionsFor(BmpMaker.LocRib()).AddPathIPv6);
    }

    [Fact]
    public void Loc_rib_with_the_same_open_twice_needs_the_offer_to_send_only()
    {
        OpenMessage open = BmpMaker.Open(65000, addPath: AddPathMode.Send);

        Assert.True(CodecOf(BmpMaker.LocRib(), open, open).OptionsFor(BmpMaker.LocRib()).AddPathIPv4);
    }

    [Fact]
    public void Extended_next_hops_need_both_sides()
    {
        var capability = new BgpCapability(5, [0, 1, 0, 1, 0, 2]);
        var otherFamily = new BgpCapability(5, [0, 1, 0, 128, 0, 2]);

        Assert.True(CodecOf(A, BmpMaker.Open(65000, more: capability), BmpMaker.Open(64501, more: capability)).OptionsFor(A).ExtendedNextHop);
        Assert.False(CodecOf(A, BmpMaker.Open(65000, more: capability), BmpMaker.Open(64501, more: otherFamily)).OptionsFor(A).ExtendedNextHop);
    }

    [Fact]
    public void Options_never_discard_local_pref()
    {
        BmpPeerCodec codec = CodecOf(A, BmpMaker.Open(65000), BmpMaker.Open(64501));

        Assert.True(codec.IsExternal);
        Assert.All(
            new[] { A, A with { Flags = BmpMaker.PostPolicy }, A with { Flags = BmpMaker.AdjRibOut }, BmpMaker.LocRib() },
            header => Assert.False(codec.OptionsFor(header).External));
    }

    [Fact]
    public void Peer_up_has_both_opens_and_information()
    {
        byte[] message = BmpMaker.PeerUp(
            A, BmpMaker.Open(4_200_000_000), BmpMaker.Open(64501), port: 50000, BmpMaker.Tlv(BmpTlv.TableName, "vrf\x1bred"), BmpMaker.Tlv(BmpTlv.FreeText, "note"));

        Assert.Null(BmpPeerUp.Decode(A, message.AsSpan(BmpConstants.HeaderLength + BmpConstants.PeerHeaderLength), out BmpPeerUp? up));
        Assert.Equal((4_200_000_000u, 64501u, 179, 50000), (up!.Sent.AsNumber, up.Received.AsNumber, up.LocalPort, up.RemotePort));
        Assert.Equal("vrf?red", up.TableName);
        Assert.Equal(2, up.Tlvs.Count);
        Assert.False(up.SameOpens);
    }

    [Theory]
    [InlineData(1, "", BmpErrorKind.Truncated)]
    [InlineData(1, "ffffffffffffffffffffffffffffffff001304", BmpErrorKind.BgpHeader)]
    [InlineData(2, "00", BmpErrorKind.Truncated)]
    [InlineData(6, "000300", BmpErrorKind.Tlv)]
    public void Peer_down_that_is_cut_is_an_error(byte reason, string data, BmpErrorKind kind) =>
        Assert.Equal(kind, BmpPeerDown.Decode([reason, .. Convert.FromHexString(data)], out _)?.Kind);

    [Theory]
    [InlineData(1, "ffffffffffffffffffffffffffffffff0015030602", "the router closed the session: 6/2 Cease, Administrative Shutdown")]
    [InlineData(2, "0000", "the router closed the session without a notification")]
    [InlineData(2, "0018", "the router closed the session without a notification (FSM event 24)")]
    [InlineData(3, "ffffffffffffffffffffffffffffffff0015030400", "the peer closed the session: 4/0 Hold Timer Expired")]
    [InlineData(4, "", "the peer closed the session without a notification")]
    [InlineData(5, "", "the router stopped monitoring the peer")]
    [InlineData(6, "00030003726564", "the router's instance closed (red)")]
    [InlineData(77, "01", "reason 77")]
    public void Peer_down_is_told_in_words(byte reason, string data, string text)
    {
        Assert.Null(BmpPeerDown.Decode([reason, .. Convert.FromHexString(data)], out BmpPeerDown? message));
        Assert.Equal(text, message!.ToString());
    }

    [Fact]
    public void Mirroring_tells_messages_and_losses()
    {
        byte[] keepalive = BmpMaker.Octets(KeepaliveMessage.Encode);
        byte[] body = [.. BmpMaker.Tlv(1, 0, 0), .. BmpMaker.Tlv(0, keepalive), .. BmpMaker.Tlv(1, 0, 1)];

        Assert.Null(BmpRouteMirroring.Decode(body, out BmpRouteMirroring? message));
        Assert.Equal((1, true, true), (message!.Messages, message.MalformedMessage, message.MessagesLost));
    }

    [Theory]
    [InlineData("64501 64502 64503", 64501u, "64502 64503")]
    [InlineData("64501", 64501u, "")]
    [InlineData("64502 64501", 64501u, null)]
    [InlineData("", 64501u, null)]
    public void RemoveFirst_takes_one_as_off(string path, uint first, string? expected)
    {
        foreach (bool fourOctet in new[] { true, false })
        {
            var options = new BgpCodecOptions { FourOctetAs = fourOctet };
            byte[] update = BodyOf(BmpMaker.Announcement(path, "10.0.0.0/8", "11.0.0.0/8"), options);
            byte[] output = new byte[update.Length];
            int length = AsPathOctets.RemoveFirst(update, first, fourOctet, output);

            Assert.Equal(expected is null, length == 0);
            if (expected is not null)
            {
                var message = new UpdateMessage();
                Assert.Equal(ErrorAction.None, UpdateDecoder.Decode(output.AsSpan(0, length), options, message));
                Assert.Equal(expected, message.Attributes!.AsPath.ToString());
                Assert.Equal(["10.0.0.0/8", "11.0.0.0/8"], message.Announced.Select(n => n.ToString()));
            }
        }
    }

    [Fact]
    public void RemoveFirst_of_any_update_changes_the_as_path_only() =>
        Prop.ForAll<int>(seed =>
        {
            var make = new WireGenerators(seed);
            PathAttributes attributes = make.Attributes(IpFamily.IPv4);
            var update = new UpdateMessage { Attributes = attributes };
            update.Announced.Add(new(make.Prefix(IpFamily.IPv4)));
            var options = new BgpCodecOptions { FourOctetAs = true };
            byte[] body = BodyOf(update, options);
            byte[] output = new byte[body.Length];
            uint first = attributes.AsPath.Segments.Count > 0 ? attributes.AsPath.Segments[0].Numbers[0] : 1;
            int length = AsPathOctets.RemoveFirst(body, first, fourOctet: true, output);
            bool sequence = attributes.AsPath.Segments.Count > 0 && attributes.AsPath.Segments[0].Type == AsSegmentType.Sequence;
            Assert.Equal(sequence, length > 0);
            if (length > 0)
            {
                var before = new UpdateMessage();
                var after = new UpdateMessage();
                UpdateDecoder.Decode(body, options, before);
                UpdateDecoder.Decode(output.AsSpan(0, length), options, after);
                Assert.Equal(before.Action, after.Action);
                AsSegment head = attributes.AsPath.Segments[0];
                IEnumerable<AsSegment> rest = attributes.AsPath.Segments.Skip(1);
                AsPath expected = AsPath.FromSegments(head.Numbers.Count > 1 ? rest.Prepend(new(head.Type, [.. head.Numbers.Skip(1)])) : rest);
                Assert.Equal(expected, after.Attributes!.AsPath);
                Assert.Equal(before.Attributes!.Communities.ToArray(), after.Attributes.Communities.ToArray());
                Assert.Equal(before.Attributes.Unknown.ToArray(), after.Attributes.Unknown.ToArray());
                Assert.Equal(before.Announced, after.Announced);
            }
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Any_split_of_a_stream_gives_the_same_messages() =>
        Prop.ForAll<int>(seed =>
        {
            var random = new Random(seed);
            var messages = new List<byte[]>();
            for (int i = random.Next(1, 20); i > 0; i--)
            {
                byte[] payload = new byte[random.Next(5) == 0 ? random.Next(200_000) : random.Next(300)];
                random.NextBytes(payload);
                messages.Add(BmpMaker.Message((byte)random.Next(8), payload));
            }

            byte[] stream = [.. messages.SelectMany(m => m)];
            var buffer = new BmpStreamBuffer(BmpConstants.DefaultMaxMessageLength);
            int read = 0;
            for (int at = 0; at < stream.Length;)
            {
                int piece = Math.Min(Math.Min(buffer.Free.Length, stream.Length - at), random.Next(3) == 0 ? random.Next(1, 10) : random.Next(1, 100_000));
                stream.AsSpan(at, piece).CopyTo(buffer.Free.Span);
                buffer.Advance(piece);
                at += piece;
                while (buffer.TryRead(out BmpMessageType type, out ReadOnlySpan<byte> message, out BmpError? error))
                {
                    Assert.Null(error);
                    Assert.Equal(messages[read][5], (byte)type);
                    Assert.True(message.SequenceEqual(messages[read++]));
                }
            }

            Assert.Equal(messages.Count, read);
            Assert.Equal(0, buffer.Pending);
            Assert.True(buffer.Capacity <= BmpConstants.DefaultMaxMessageLength);
        }).QuickCheckThrowOnFailure();

    private static byte[] BodyOf(UpdateMessage update, BgpCodecOptions options)
    {
        var writer = new BgpWriter(new byte[BgpConstants.MaxMessageLength]);
        UpdateEncoder.Encode(ref writer, update, options);
        return writer.Written[BgpConstants.HeaderLength..].ToArray();
    }

    private static BmpPeerCodec CodecOf(BmpPeerHeader header, OpenMessage sent, OpenMessage received)
    {
        byte[] message = BmpMaker.PeerUp(header, sent, received);
        Assert.Null(BmpPeerUp.Decode(header, message.AsSpan(BmpConstants.HeaderLength + BmpConstants.PeerHeaderLength), out BmpPeerUp? up));
        return BmpPeerCodec.From(up!);
    }
}
