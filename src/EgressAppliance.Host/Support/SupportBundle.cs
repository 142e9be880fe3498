using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using EgressAppliance.Host.Cli;

namespace EgressAppliance.Host.Support;

/// <summary>
/// Writes a support bundle: a tar.gz of texts without secrets, each of bounded length, with a manifest of what is in it and what could not be read. A box in trouble is
/// what it is for: a part that fails leaves a line in the manifest and nothing else undone.
/// </summary>
internal static class SupportBundle
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Writes it.</summary>
    /// <param name="path">The file; must not be there.</param>
    /// <param name="parts">What goes in.</param>
    /// <param name="filter">Takes the secrets out of each part.</param>
    /// <param name="describe">Makes the manifest of the results.</param>
    /// <param name="time">When it is made.</param>
    /// <param name="begun">Told of each part before it is read.</param>
    /// <param name="cancellationToken">Ends it; nothing is left then.</param>
    /// <exception cref="IOException">It cannot be written, or is there already.</exception>
    public static async Task<SupportManifest> WriteAsync(
        string path, IReadOnlyList<SupportPart> parts, SecretFilter filter, Func<IReadOnlyList<SupportPartResult>, SupportManifest> describe, DateTimeOffset time, Action<int> begun,
        CancellationToken cancellationToken)
    {
        // Not in place: a bundle that is cut off would be taken for a whole one. Beside it: a rename is then atomic.
        string partial = $"{path}.{Path.GetRandomFileName()}.partial";
        SupportManifest manifest;
        FileStreamOptions options = new() { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly };
        try
        {
            await using (FileStream file = new(partial, options))
            await using (GZipStream gzip = new(file, CompressionLevel.Optimal))
            await using (TarWriter tar = new(gzip))
            {
                string folder = Path.GetFileName(path).Split('.')[0];
                List<SupportPartResult> results = [];
                foreach (SupportPart part in parts)
                {
                    begun(results.Count);
                    (SupportPartResult result, byte[] content) = await ReadAsync(part, filter, cancellationToken);
                    results.Add(result);
                    if (result.Result != "failed")
                    {
                        await AddAsync(tar, $"{folder}/{part.Name}", content, time, cancellationToken);
                    }
                }

                manifest = describe(results);
                await AddAsync(tar, folder + "/manifest.json", JsonSerializer.SerializeToUtf8Bytes(manifest, CliJson.Default.SupportManifest), time, cancellationToken);
            }

            File.Move(partial, path, overwrite: false);
        }
        catch
        {
            File.Delete(partial);
            throw;
        }

        return manifest;
    }

    private static async Task<(SupportPartResult Result, byte[] Content)> ReadAsync(SupportPart part, SecretFilter filter, CancellationToken cancellationToken)
    {
        string text;
        try
        {
            text = filter.Clean(await part.Read(cancellationToken));
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && e is not OutOfMemoryException)
        {
            // Whatever is wrong with one part, the others are wanted all the more.
            return (new SupportPartResult(part.Name, "failed", 0, filter.Clean(Human.Clean(e is SupportPartException or ApiException ? e.Message : $"{e.GetType().Name}: {e.Message}"))), []);
        }

        byte[] content = Encoding.UTF8.GetBytes(text);
        if (content.Length <= part.Limit)
        {
            return (new SupportPartResult(part.Name, "included", content.Length, null), content);
        }

        int length = content.Length;
        content = part.KeepEnd ? content[^part.Limit..] : content[..part.Limit];
        if (part.KeepEnd)
        {
            // Whole lines: what reads them afterwards may be a program.
            content = content[(content.AsSpan().IndexOf((byte)'\n') + 1)..];
        }

        return (new SupportPartResult(part.Name, "cut", content.Length, $"the {(part.KeepEnd ? "last" : "first")} {content.Length} of {length} octets"), content);
    }

    private static async Task AddAsync(TarWriter tar, string name, byte[] content, DateTimeOffset time, CancellationToken cancellationToken)
    {
        using MemoryStream data = new(content);
        await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = data, Mode = OwnerOnly, ModificationTime = time }, cancellationToken);
    }
}
