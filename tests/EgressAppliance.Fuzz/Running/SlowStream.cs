namespace EgressAppliance.Fuzz.Running;

/// <summary>A file that delivers as much at a time as it pleases.</summary>
internal sealed class SlowStream(byte[] file, FuzzRandom random) : MemoryStream(file, 0, file.Length, writable: false, publiclyVisible: true)
{
    // Not by way of the base class, which would rent an array as long as the span from a pool that keeps it.
    public override int Read(Span<byte> buffer)
    {
        int count = Math.Min(Math.Min(buffer.Length, random.Between(1, 700)), (int)(Length - Position));
        GetBuffer().AsSpan((int)Position, count).CopyTo(buffer);
        Position += count;
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));
}
