using System.IO.Compression;

namespace EgressAppliance.Host.Cli;

/// <summary>Fetches the routing table into a file. The file has its name only once it is whole: a transfer that ends early leaves nothing that looks like a table.</summary>
internal static class RibDumpFile
{
    /// <exception cref="ApiException">The appliance does not give it.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static async Task WriteAsync(ApiClient client, string path, CancellationToken cancellationToken)
    {
        string part = path + ".part";
        try
        {
            await using (FileStream file = new(part, FileMode.Create, FileAccess.Write, FileShare.None))
            {
                await using Stream packed = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? new GZipStream(file, CompressionLevel.Fastest) : file;
                await client.DownloadAsync("bgp/rib.mrt", packed, cancellationToken);
            }

            File.Move(part, path, overwrite: true);
        }
        finally
        {
            File.Delete(part);
        }
    }
}
