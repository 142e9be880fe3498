namespace EgressAppliance.Comparison.Bgp;
internal static class BgpReport
{
    public static void Write(string folder, string command, string loadBefore, BgpResults results) { _ = folder + command + loadBefore + results; }
}
