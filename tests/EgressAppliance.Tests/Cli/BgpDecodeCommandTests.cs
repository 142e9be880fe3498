using EgressAppliance.Host;
using EgressAppliance.Host.Cli;

namespace EgressAppliance.Tests.Cli;

public sealed class BgpDecodeCommandTests
{
    private const string Keepalive = "ffffffffffffffffffffffffffffffff001304";

    // ORIGIN, AS_PATH of one AS in 2 octets, NEXT_HOP, LOCAL_PREF; 203.0.113.0/24.
    private const string Update = "ffffffffffffffffffffffffffffffff0034020000001940010100400204" + "0201fde9" + "400304c0000201" + "40050400000064" + "18cb0071";

    [Fact]
    public async Task Hex_lines_become_objects_and_a_bad_line_is_told()
    {
        (int code, string text, string error) = await RunAsync(new("-", As2: true, AddPath: false, Hex: true), Latin($"{Keepalive}\n\nxyz\n{Update}\n"));
        Assert.Equal(ExitCode.Failed, code);
        Assert.Equal(
            """
            {"type":"KEEPALIVE"}
            {"type":"UPDATE","withdrawn":[],"attributes":{"origin":"igp","as_path":"65001","next_hop":"192.0.2.1","local_pref":100},"nlri":[{"prefix":"203.0.113.0/24"}]}

            """, text);
        Assert.Equal("bgp decode: line 3 is not hexadecimal\n", error);
    }

    [Fact]
    public async Task Binary_messages_become_objects_up_to_a_cut()
    {
        byte[] whole = Convert.FromHexString(Keepalive + Update);
        (int code, string text, string error) = await RunAsync(new("-", As2: true, AddPath: false, Hex: false), whole);
        Assert.Equal((ExitCode.Done, 2, ""), (code, text.Count(c => c == '\n'), error));
        (code, text, error) = await RunAsync(new("-", As2: true, AddPath: false, Hex: false), whole[..^1]);
        Assert.Equal((ExitCode.Failed, 2), (code, text.Count(c => c == '\n')));
        Assert.Contains("""the header says 52 octets, 51 are there""", text, StringComparison.Ordinal);
        Assert.Contains("ends within a message", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ebgp_discards_what_an_external_peer_may_not_send()
    {
        (_, string text, _) = await RunAsync(new("-", As2: true, AddPath: false, Hex: true) { Ebgp = true }, Latin(Update));
        Assert.Contains("\"action\":\"attribute-discard\",\"text\":\"LocalPref from an external peer\"", text, StringComparison.Ordinal);
        Assert.DoesNotContain("local_pref", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mrtparse.quagga_bgp", 67)]
    [InlineData("ris.rrc03.updates.20100227.first796.gz", 796)]
    [InlineData("ryu.rib.20161101.0000_pick.bz2", 3)]
    public async Task Mrt_records_become_objects(string file, int records)
    {
        (int code, string text, string error) = await RunAsync(new(TestData.Path("bgp", "mrt", file), false, false, false) { Mrt = true }, []);
        Assert.Equal((ExitCode.Done, ""), (code, error));
        Assert.Equal(records, text.Count(c => c == '\n'));
    }

    [Fact]
    public async Task Mrt_with_ebgp_reads_messages_as_from_another_as()
    {
        BgpDecodeOptions options = new(TestData.Path("bgp", "mrt", "mrtparse.bird6-mrtdump_bgp"), false, false, false) { Mrt = true };
        (_, string inner, _) = await RunAsync(options, []);
        (_, string outer, _) = await RunAsync(options with { Ebgp = true }, []);
        Assert.Contains("\"local_pref\":100", inner, StringComparison.Ordinal);
        Assert.DoesNotContain("\"local_pref\":100", outer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Mrt_that_is_cut_off_gives_its_records_and_fails()
    {
        byte[] whole = File.ReadAllBytes(TestData.Path("bgp", "mrt", "mrtparse.quagga_bgp"));
        (int code, string text, string error) = await RunAsync(new("-", false, false, false) { Mrt = true }, whole[..^1]);
        Assert.Equal((ExitCode.Failed, 66), (code, text.Count(c => c == '\n')));
        Assert.Equal("bgp decode: the file ends within a record; what came before are 66 records\n", error);
    }

    [Fact]
    public async Task File_that_is_not_there_or_compressed_by_xz_is_told()
    {
        (int code, _, string error) = await RunAsync(new("/nonexistent", false, false, false) { Mrt = true }, []);
        Assert.Equal(ExitCode.Failed, code);
        Assert.StartsWith("bgp decode: ", error, StringComparison.Ordinal);
        (code, _, error) = await RunAsync(new("-", false, false, false) { Mrt = true }, [0xFD, (byte)'7', (byte)'z', (byte)'X']);
        Assert.Equal(ExitCode.Failed, code);
        Assert.Contains("xz; unpack it first", error, StringComparison.Ordinal);
    }

    private static byte[] Latin(string text) => System.Text.Encoding.ASCII.GetBytes(text);

    private static async Task<(int Code, string Out, string Error)> RunAsync(BgpDecodeOptions options, byte[] input)
    {
        using StringWriter output = new() { NewLine = "\n" };
        using StringWriter error = new() { NewLine = "\n" };
        CommandConsole console = new() { Out = output, Error = error, OpenInput = () => new MemoryStream(input) };
        int code = await BgpDecodeCommand.RunAsync(options, console, CancellationToken.None);
        return (code, output.ToString(), error.ToString());
    }
}
