namespace EgressAppliance.Tests.Decision.Journal;

/// <summary>A stream that works for a number of octets, read or written, and then fails as a disk does.</summary>
internal sealed class FailingStream(Stream inner, int octets) : Stream
{
    private int _left = octets;

    public override bool CanRead => inner.CanRead;

    public override bool CanSeek => false;

    public override bool CanWrite => inner.CanWrite;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Flush() => inner.Flush();

    public override int Read(byte[] buffer, int offset, int count)
    {
        Spend(0);
        int read = inner.Read(buffer, offset, Math.Min(count, _left));
        _left -= read;
        return read;
    }

    public override void Write(byte[] buffer, int offset, int count)
    {
        Spend(count);
        inner.Write(buffer, offset, count);
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        inner.Dispose();
        base.Dispose(disposing);
    }

    private void Spend(int count)
    {
        _left -= count;
        if (_left <= 0)
        {
            throw new IOException("the disk fails");
        }
    }
}
