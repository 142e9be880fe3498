using EgressAppliance.Bgp.Wire;
using FsCheck;
using FsCheck.Fluent;

namespace EgressAppliance.Tests.Bgp.Wire;

public sealed class MessageCodecTests
{
    private const string GoodOpen = "ffffffffffffffffffffffffffffffff00330104fde9005a7f000001160214010400010001010400020001020041040000fde9";

    [Fact]
    public void Open_decode_and_encode_agree_byte_for_byte()
    {
        byte[] bytes = Convert.FromHexString(GoodOpen);
        Assert.Null(OpenMessage.Decode(bytes.AsSpan(BgpConstants.HeaderLength), out OpenMessage? open));

        Assert.Equal(65001u, open!.AsNumber);
        Assert.Equal(90, open.HoldTime);
        Assert.Equal(0x7F000001u, open.RouterId);
        Assert.Equal([AfiSafi.IPv4Unicast, AfiSafi.IPv6Unicast], open.Families);
        Assert.True(open.Has(BgpCapability.RouteRefreshCode));
        var writer = new BgpWriter(new byte[100]);
        open.Encode(ref writer);
        Assert.Equal(GoodOpen, Convert.ToHexStringLower(writer.Written));
    }

    [Fact]
    public void Open_decode_after_encode_keeps_every_field() =>
        Prop.ForAll<int>(seed =>
        {
            OpenMessage open = new WireGenerators(seed).Open();
            var writer = new BgpWriter(new byte[4096]);
            open.Encode(ref writer);
            Assert.Null(OpenMessage.Decode(writer.Written[BgpConstants.HeaderLength..], out OpenMessage? decoded));
            Assert.Equal(open.Capabilities, decoded!.Capabilities);
            Assert.Equal((open.MyAs, open.HoldTime, open.RouterId), (decoded.MyAs, decoded.HoldTime, decoded.RouterId));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Open_add_path_entries_with_undefined_modes_are_ignored()
    {
        var open = new OpenMessage { Capabilities = [new BgpCapability(BgpCapability.AddPathCode, [0, 1, 1, 7, 0, 2, 1, 2])] };

        Assert.Equal(AddPathMode.None, open.AddPath(AfiSafi.IPv4Unicast));
        Assert.Equal(AddPathMode.Send, open.AddPath(AfiSafi.IPv6Unicast));
    }

    [Fact]
    public void Framing_gives_the_same_messages_however_the_stream_is_split() =>
        Prop.ForAll<int>(seed =>
        {
            var make = new WireGenerators(seed);
            BgpCodecOptions options = make.Options();
            var parts = new List<byte[]>();
            byte[] stream = make.Stream(6, options, parts);
            foreach (int step in new[] { 1, 7, 64, stream.Length })
            {
                var found = new List<byte[]>();
                int start = 0;
                for (int end = 0; end <= stream.Length; end += end == stream.Length ? 1 : Math.Min(step, stream.Length - end))
                {
                    while (start < end && BgpFramer.TryReadHeader(stream.AsSpan(start, end - start), options, out _, out int length, out BgpError? error))
                    {
                        Assert.Null(error);
                        found.Add(stream[start..(start + length)]);
                        start += length;
                    }
                }

                Assert.Equal(parts, found);
            }
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Any_bytes_are_framed_and_decoded_without_an_exception() =>
        Prop.ForAll<int>(seed =>
        {
            var make = new WireGenerators(seed);
            BgpCodecOptions options = make.Options();
            byte[] stream = make.Mutate(make.Stream(2, options, []));
            var update = new UpdateMessage();
            int at = 0;
            while (BgpFramer.TryReadHeader(stream.AsSpan(at), options, out BgpMessageType type, out int length, out BgpError? error))
            {
                if (error is not null)
                {
                    Assert.Equal(ErrorAction.SessionReset, error.Action);
                    return;
                }

                ReadOnlySpan<byte> body = stream.AsSpan(at + BgpConstants.HeaderLength, length - BgpConstants.HeaderLength);
                switch (type)
                {
                    case BgpMessageType.Open:
                        Assert.True(OpenMessage.Decode(body, out OpenMessage? open) is not null || open is not null);
                        break;
                    case BgpMessageType.Update:
                        UpdateDecoder.Decode(body, options, update);
                        break;
                    case BgpMessageType.Notification:
                        Assert.NotEmpty(NotificationMessage.Decode(body).ToString());
                        break;
                    case BgpMessageType.RouteRefresh:
                        Assert.Null(RouteRefreshMessage.Decode(body, out _));
                        break;
                    default:
                        break;
                }

                at += length;
            }
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("shut for the night", "6/2 Cease, Administrative Shutdown: \"shut for the night\"")]
    [InlineData("", "6/2 Cease, Administrative Shutdown")]
    public void Notification_shutdown_text_is_written_and_read(string text, string expected)
    {
        var writer = new BgpWriter(new byte[400]);
        NotificationMessage.Shutdown(text).Encode(ref writer);

        Assert.Equal(expected, NotificationMessage.Decode(writer.Written[BgpConstants.HeaderLength..]).ToString());
    }

    [Fact]
    public void Notification_shutdown_text_with_a_length_beyond_the_message_is_ignored() =>
        Assert.Null(NotificationMessage.Decode([6, 2, 200, 97, 98, 99]).ShutdownText);

    [Fact]
    public void Notification_shutdown_text_cannot_carry_control_characters() =>
        Assert.Equal("a?[2Jb", NotificationMessage.Decode([6, 2, 6, 97, 27, 91, 50, 74, 98]).ShutdownText);

    [Theory]
    [InlineData(6, 1, "6/1 Cease, Maximum Number of Prefixes Reached")]
    [InlineData(4, 0, "4/0 Hold Timer Expired")]
    [InlineData(2, 2, "2/2 OPEN Message Error, Bad Peer AS")]
    [InlineData(99, 7, "99/7")]
    [InlineData(3, 77, "3/77 UPDATE Message Error")]
    public void Notification_is_named_as_the_rfcs_name_it(byte code, byte subcode, string expected) =>
        Assert.Equal(expected, new NotificationMessage(code, subcode).ToString());

    [Fact]
    public void RouteRefresh_decode_and_encode_agree()
    {
        var writer = new BgpWriter(new byte[32]);
        new RouteRefreshMessage(AfiSafi.IPv6Unicast).Encode(ref writer);

        Assert.Equal("ffffffffffffffffffffffffffffffff00170500020001", Convert.ToHexStringLower(writer.Written));
        Assert.Null(RouteRefreshMessage.Decode(writer.Written[BgpConstants.HeaderLength..], out RouteRefreshMessage? decoded));
        Assert.Equal(new RouteRefreshMessage(AfiSafi.IPv6Unicast), decoded);
    }
}
